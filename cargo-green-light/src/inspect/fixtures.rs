//! `cargo green-light fixtures`.

use std::collections::BTreeMap;
use std::process::ExitCode;

use serde::Serialize;

use crate::arguments::{DescribeOptions, ProjectOptions, Runner};
use crate::error::Error;
use crate::events::Event;
use crate::print::{self, FAINT, STRONG};
use crate::project::Project;
use crate::run_tests::{TestRun, nothing_has_run};

/// A fixture that tests can request, or that reaches them unasked.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
struct Fixture<'a> {
    module: &'a str,
    name: &'a str,
    scope: &'a str,
    place: &'a str,
    docs: &'a str,
    /// The fixture that it takes the place of.
    overrides: Option<&'a str>,
    autouse: bool,
}

/// Asks the test programs, and lists what they have; what several of them have, once.
///
/// # Errors
///
/// When no test program has answered.
pub(crate) fn run(options: &DescribeOptions, project: &ProjectOptions) -> Result<ExitCode, Error> {
    let project = Project::find(project)?;
    let tests = TestRun {
        runner: Runner::Cargo,
        arguments: &options.arguments,
        show: Some("fixtures"),
        may_print: false,
    };
    let ended = tests.run(&project)?;
    let found = ended.events.iter().filter(|event| event.kind == "FIXTURE");
    let mut fixtures: Vec<Fixture> = found.map(fixture).collect();
    fixtures.sort();
    fixtures.dedup();
    if fixtures.is_empty() {
        return Err(nothing_has_run());
    }
    match options.json {
        true => print::json(&fixtures)?,
        false => print(&fixtures),
    }
    Ok(ended.code)
}

fn fixture(event: &Event) -> Fixture<'_> {
    Fixture {
        module: event.module.as_deref().unwrap_or_default(),
        name: event.fixture.as_deref().unwrap_or_default(),
        scope: event.scope.as_deref().unwrap_or_default(),
        place: event.place.as_deref().unwrap_or_default(),
        docs: event.docs.as_deref().unwrap_or_default(),
        overrides: event.overrides.as_deref(),
        autouse: event.autouse.is_some(),
    }
}

fn print(fixtures: &[Fixture]) {
    let mut modules: BTreeMap<&str, Vec<&Fixture>> = BTreeMap::new();
    for fixture in fixtures {
        modules.entry(fixture.module).or_default().push(fixture);
    }
    let mut is_first = true;
    for (module, fixtures) in modules {
        if !std::mem::take(&mut is_first) {
            anstream::println!();
        }
        anstream::println!("{STRONG}{module}{STRONG:#}");
        for fixture in fixtures {
            let mut marks = vec![fixture.scope.to_owned()];
            marks.extend(fixture.autouse.then(|| "autouse".to_owned()));
            marks.extend(
                fixture
                    .overrides
                    .map(|other| format!("overrides `{other}`")),
            );
            anstream::println!(
                "  {STRONG}{}{STRONG:#} [{}] {FAINT}{}{FAINT:#}",
                fixture.name,
                marks.join(", "),
                fixture.place
            );
            // Its first paragraph.
            for line in fixture
                .docs
                .lines()
                .map(str::trim)
                .take_while(|line| !line.is_empty())
            {
                anstream::println!("      {line}");
            }
        }
    }
}
