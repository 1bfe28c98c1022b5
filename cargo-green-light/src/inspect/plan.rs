//! `cargo green-light plan`.

use std::process::ExitCode;

use crate::arguments::{DescribeOptions, ProjectOptions};
use crate::error::Error;
use crate::inspect::planned::{self, PlannedTest};
use crate::print::{self, FAINT, STRONG, listed};
use crate::project::Project;

/// Asks the test programs, and prints what each test would set up.
///
/// # Errors
///
/// When no test program has answered.
pub(crate) fn run(options: &DescribeOptions, project: &ProjectOptions) -> Result<ExitCode, Error> {
    let project = Project::find(project)?;
    let (tests, code) = planned::ask(&project, &options.arguments)?;
    match options.json {
        true => print::json(&tests)?,
        false => tests.iter().for_each(print),
    }
    Ok(code)
}

fn print(test: &PlannedTest) {
    anstream::println!("{STRONG}{}{STRONG:#}", test.name);
    for fixture in &test.fixtures {
        let last = |label: &String| label.rsplit("::").next().unwrap_or_default().to_owned();
        let needs = match &fixture.needs[..] {
            [] => String::new(),
            needs => format!(" of {}", listed(needs.iter().map(last))),
        };
        anstream::println!(
            "  {:<8} {}{needs}  {FAINT}{}{FAINT:#}",
            fixture.scope,
            fixture.name,
            fixture.place
        );
    }
}
