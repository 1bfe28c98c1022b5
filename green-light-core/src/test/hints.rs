//! What is probably not meant: declarations of fixtures without an effect, said once at the end.

use crate::config::Config;
use crate::fixture::definition::{Definition, FIXTURES, LISTED, Listed};
use crate::fixture::test_meta::TESTS;
use crate::fixture::visibility::reaches;
use crate::report::print::progress;
use crate::report::remark::print as remark_all;

/// Prints a line for each. Under nextest each test is a process, so none would be the last.
pub(crate) fn print() {
    if Config::get().is_ok_and(|config| config.nextest) {
        return;
    }
    let reaching = FIXTURES.iter().filter_map(|definition| {
        let hint = unreached(definition).or_else(|| match definition.overrides {
            Some(_) => None,
            None => shadows(&definition.listed()),
        });
        Some((definition.listed(), hint?))
    });
    let requested = LISTED
        .iter()
        .filter_map(|listed| Some((*listed, shadows(listed)?)));
    let mut hints: Vec<_> = reaching
        .chain(requested)
        .filter(|(fixture, _)| !fixture.is_ours())
        .collect();
    hints.sort_by_key(|(fixture, _)| (fixture.location.file, fixture.location.line));
    remark_all();
    for (_, hint) in hints {
        progress(&hint);
    }
}

/// An override or autouse fixture that reaches no test of the program.
fn unreached(definition: &'static Definition) -> Option<String> {
    let what = match (definition.overrides, definition.autouse) {
        (Some(_), _) => "override",
        (None, true) => "autouse fixture",
        (None, false) => return None,
    };
    let mut tests = TESTS.iter();
    if tests.any(|test| reaches(definition, test.module())) {
        return None;
    }
    let cure = if definition.in_tests {
        "write `reach = \"crate\"`, or declare it in a module above the tests"
    } else {
        "write `reach = \"crate\"`, or declare it at the root of its crate"
    };
    Some(format!(
        "{what} `{}` ({}) reaches no test: it stands for those of `{}` and below; {cure}",
        definition.name, definition.location, definition.module,
    ))
}

/// A fixture with the name and the type of one of ours that does not say that it overrides it.
fn shadows(fixture: &Listed) -> Option<String> {
    let ours = LISTED.iter().find(|ours| {
        ours.is_ours()
            && ours.name == fixture.name
            && (ours.value)().id == (fixture.value)().id
            && !ours.around
    })?;
    Some(format!(
        "fixture `{}` ({}) overrides nothing, so other fixtures still use the one of green-light; write \
         `#[fixture(overrides = green_light::fixtures::{})]`, or give it another name",
        fixture.name, fixture.location, ours.name,
    ))
}
