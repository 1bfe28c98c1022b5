//! What `cargo green-light doctor` does.

use std::process::ExitCode;

use green_light_fixtures::checkup;
use serde::Serialize;

use crate::arguments::{DoctorOptions, ProjectOptions};
use crate::doctor::finding::{Finding, Level};
use crate::doctor::{databases, environment, tree};
use crate::error::Error;
use crate::print::{self, BAD, GOOD, HELP, NOTE, STRONG, count};
use crate::project::Project;
use crate::spinner::Spinner;

#[derive(Serialize)]
struct Report<'a> {
    project: &'a str,
    findings: &'a [Finding],
    problems: usize,
}

/// Looks at everything, and prints what it finds.
///
/// # Errors
///
/// When there is no project.
pub(crate) fn run(options: &DoctorOptions, project: &ProjectOptions) -> Result<ExitCode, Error> {
    let project = Project::find(project)?;
    checkup::use_target_directory(project.target.clone());
    let spinner = Spinner::start("reading the dependencies".to_owned());
    let tree = match project.dependencies() {
        Ok(metadata) => tree::examine(&metadata),
        Err(error) => tree::unreadable(&error),
    };
    drop(spinner);
    let mut findings = tree.findings;
    findings.extend(environment::variables(&project));
    findings.push(environment::directory());
    let can_try = findings.iter().all(|finding| !prevents_databases(finding));
    if can_try {
        findings.extend(databases::examine(tree.features.as_ref(), options.all));
    }
    let problems = findings
        .iter()
        .filter(|finding| finding.level == Level::Problem)
        .count();
    if options.json {
        print::json(&Report {
            project: &project.name,
            findings: &findings,
            problems,
        })?;
    } else {
        print(&project, &findings, problems, can_try);
    }
    Ok(ExitCode::from(u8::from(problems > 0)))
}

/// Whether each database would only say the same once more.
fn prevents_databases(finding: &Finding) -> bool {
    use crate::doctor::finding::Topic;
    finding.level == Level::Problem && matches!(finding.topic, Topic::Variables | Topic::Directory)
}

fn print(project: &Project, findings: &[Finding], problems: usize, can_try: bool) {
    let mut topic = None;
    anstream::println!(
        "{STRONG}{}{STRONG:#} in {}",
        project.name,
        project.root.display()
    );
    for finding in findings {
        if topic != Some(finding.topic) {
            topic = Some(finding.topic);
            anstream::println!("\n{STRONG}{}{STRONG:#}", finding.topic.name());
        }
        let (style, mark) = match finding.level {
            Level::Good => (GOOD, "ok"),
            Level::Note => (NOTE, "note"),
            Level::Problem => (BAD, "problem"),
        };
        let fact = finding.fact.replace('\n', "\n         ");
        anstream::println!("  {style}{mark}{style:#}{:1$}{fact}", "", 9 - mark.len());
        if let Some(help) = &finding.help {
            let help = help.replace('\n', "\n           ");
            anstream::println!("           {HELP}help{HELP:#}: {help}");
        }
    }
    if !can_try {
        anstream::println!("\nThe databases were not tried: solve the problems above first.");
    }
    let notes = findings
        .iter()
        .filter(|finding| finding.level == Level::Note)
        .count();
    let ended = match (problems, notes) {
        (0, 0) => format!("{GOOD}All is well.{GOOD:#}"),
        (0, notes) => format!("{GOOD}Tests can run{GOOD:#}; {}.", count(notes, "note")),
        (problems, _) => format!("{BAD}{}{BAD:#} to solve.", count(problems, "problem")),
    };
    anstream::println!("\n{ended}");
}
