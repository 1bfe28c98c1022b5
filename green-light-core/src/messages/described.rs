//! Fixtures and plans as events, for `cargo green-light fixtures`, `plan` and `graph`.
//!
//! Written beside what `GREEN_LIGHT_SHOW=fixtures` and `GREEN_LIGHT_SHOW=plan` print, if there is an event file.

use crate::fixture::definition::{Definition, Listed};
use crate::fixture::plan::Plan;
use crate::fixture::test_meta::TestMeta;
use crate::report::events;
use crate::report::events::Event;

/// Writes what is known of a fixture; of one that reaches tests unasked, with its declaration.
pub(crate) fn fixture(listed: &Listed, declared: Option<&Definition>) {
    if !events::enabled() {
        return;
    }
    let overridden = declared.and_then(|declared| declared.overrides);
    let overridden = overridden.map(|overridden| label(overridden()));
    let is_autouse = declared.is_some_and(|declared| declared.autouse);
    Event::new("FIXTURE")
        .text("fixture", listed.name)
        .text("at", listed.module)
        .text("scope", kind(listed.around, listed.scope.name()))
        .text("place", &listed.location.to_string())
        .text("docs", listed.docs.trim())
        .optional("overrides", overridden.as_deref())
        .optional("autouse", is_autouse.then_some("autouse"))
        .write();
}

/// Writes the fixtures of a test, each with those that it gets, and then those that the test itself gets.
pub(crate) fn plan(test: &TestMeta, plan: &Plan) {
    if !events::enabled() {
        return;
    }
    let name = test.full_name();
    let write = |definition: &Definition, needs: &[String]| {
        Event::new("STEP")
            .text("test", name)
            .text("fixture", definition.name)
            .text("at", definition.module)
            .text(
                "scope",
                kind(definition.is_around(), definition.scope.name()),
            )
            .text("place", &definition.location.to_string())
            .list("needs", needs)
            .write();
    };
    let labels = |steps: &[usize]| -> Vec<String> {
        let steps = steps.iter().map(|step| label(plan.steps[*step].definition));
        steps.collect()
    };
    for around in &plan.arounds {
        write(around, &[]);
    }
    for step in &plan.steps {
        write(step.definition, &labels(&step.dependencies));
    }
    Event::new("PLANNED")
        .text("test", name)
        .list("needs", &labels(&plan.requests))
        .write();
}

/// The name of a fixture that no other one has.
fn label(definition: &Definition) -> String {
    format!("{}::{}", definition.module, definition.name)
}

fn kind(is_around: bool, scope: &'static str) -> &'static str {
    if is_around { "around" } else { scope }
}
