//! `GREEN_LIGHT_SHOW`: what is set up and torn down, as pytest's `--setup-show` prints it.
//!
//! A line is indented by scope: process, then module, then test; the letter is the scope's. Lines
//! go to stderr on the test's thread, so they stand with the test that caused them.

use crate::config;
use crate::config::Config;
use crate::fixture::definition::Definition;
use crate::fixture::plan::{Plan, Step};
use crate::fixture::scope::Scope;
use crate::fixture::test_meta::TestMeta;
use crate::messages::{described, listing};
use crate::report::print::say;

/// Prints set-ups and teardowns, or nothing.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Show(config::Show);

impl Show {
    pub(crate) fn new(config: &Config) -> Self {
        Self(config.show)
    }

    fn prints(self) -> bool {
        matches!(self.0, config::Show::Setup | config::Show::Plan)
    }

    /// Before the first line of a test: libtest may have left the cursor behind the test's name.
    pub(crate) fn begin(self) {
        if self.prints() {
            say("");
        }
    }

    /// Shows what takes no running: the plan of `test`, or the list of fixtures.
    pub(crate) fn instead_of_running(self, test: &TestMeta, plan: &Plan) -> bool {
        match self.0 {
            config::Show::Plan => self.plan(test, plan),
            config::Show::Fixtures => listing::print(),
            config::Show::Nothing | config::Show::Setup | config::Show::Durations => return false,
        }
        true
    }

    pub(crate) fn set_up(self, step: &Step) {
        if self.prints() {
            let used = step
                .definition
                .dependencies
                .iter()
                .map(|dependency| (dependency.target)().name);
            say(&line("SETUP   ", step.definition, &fixtures_used(used)));
        }
    }

    pub(crate) fn tear_down(self, definition: &Definition) {
        if self.prints() {
            say(&line("TEARDOWN", definition, ""));
        }
    }

    pub(crate) fn around(self, definition: &Definition) {
        if self.prints() {
            say(&line("SETUP   ", definition, " (around)"));
        }
    }

    /// What would happen in a test.
    fn plan(self, test: &TestMeta, plan: &Plan) {
        described::plan(test, plan);
        for around in &plan.arounds {
            self.around(around);
        }
        for step in &plan.steps {
            self.set_up(step);
        }
        self.call(test, plan, None);
        for step in plan.steps.iter().rev() {
            self.tear_down(step.definition);
        }
        for around in plan.arounds.iter().rev() {
            self.tear_down(around);
        }
    }

    pub(crate) fn call(self, test: &TestMeta, plan: &Plan, ended: Option<char>) {
        if self.prints() {
            let used = plan
                .arounds
                .iter()
                .copied()
                .chain(plan.steps.iter().map(|step| step.definition));
            let used = fixtures_used(used.map(|definition| definition.name));
            let ended = ended.map_or_else(String::new, |letter| format!(" {letter}"));
            say(&format!("{:8}{}{used}{ended}", "", test.full_name()));
        }
    }
}

fn line(word: &str, definition: &Definition, rest: &str) -> String {
    let indent = match definition.scope {
        Scope::Run | Scope::Process => 0,
        Scope::Module => 4,
        Scope::Test => 8,
    };
    format!(
        "{:indent$}{word} {} {}{rest}",
        "",
        definition.scope.letter(),
        definition.name
    )
}

fn fixtures_used<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let mut names: Vec<&str> = names.collect();
    if names.is_empty() {
        return String::new();
    }
    names.sort_unstable();
    format!(" (fixtures used: {})", names.join(", "))
}
