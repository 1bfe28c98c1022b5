//! The plans of tests, as their programs have described them.

use std::collections::BTreeMap;
use std::process::ExitCode;

use serde::Serialize;

use crate::arguments::Runner;
use crate::error::Error;
use crate::events::Event;
use crate::project::Project;
use crate::run_tests::{TestRun, nothing_has_run};

/// What a test would do.
#[derive(Debug, Serialize)]
pub(crate) struct PlannedTest {
    pub(crate) name: String,
    /// In the order of their set-up.
    pub(crate) fixtures: Vec<PlannedFixture>,
    /// The fixtures that it gets as parameters, by module and name.
    pub(crate) needs: Vec<String>,
}

#[derive(Debug, Serialize)]
pub(crate) struct PlannedFixture {
    pub(crate) name: String,
    pub(crate) module: String,
    /// `process`, `module`, `test`, or `around`.
    pub(crate) scope: String,
    pub(crate) place: String,
    /// The fixtures that it gets, by module and name.
    pub(crate) needs: Vec<String>,
}

impl PlannedFixture {
    /// What no other fixture is called.
    pub(crate) fn label(&self) -> String {
        format!("{}::{}", self.module, self.name)
    }
}

/// The plans of the tests that the arguments select, by name, and how the runner ended.
///
/// # Errors
///
/// When no test program has answered.
pub(crate) fn ask(
    project: &Project,
    arguments: &[String],
) -> Result<(Vec<PlannedTest>, ExitCode), Error> {
    let tests = TestRun {
        runner: Runner::Cargo,
        arguments,
        show: Some("plan"),
        may_print: false,
    };
    let ended = tests.run(project)?;
    let planned = of(&ended.events);
    match planned.is_empty() {
        true => Err(nothing_has_run()),
        false => Ok((planned, ended.code)),
    }
}

fn of(events: &[Event]) -> Vec<PlannedTest> {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    // Tests write side by side.
    let mut steps: BTreeMap<(u32, String), Vec<PlannedFixture>> = BTreeMap::new();
    let mut planned = Vec::new();
    for event in events {
        let test = (event.process(), text(&event.test));
        match &*event.kind {
            "STEP" => steps.entry(test).or_default().push(PlannedFixture {
                name: text(&event.fixture),
                module: text(&event.module),
                scope: text(&event.scope),
                place: text(&event.place),
                needs: event.needs.clone(),
            }),
            "PLANNED" => planned.push(PlannedTest {
                fixtures: steps.remove(&test).unwrap_or_default(),
                name: test.1,
                needs: event.needs.clone(),
            }),
            _ => {}
        }
    }
    planned.sort_by(|one, other| one.name.cmp(&other.name));
    planned
}
