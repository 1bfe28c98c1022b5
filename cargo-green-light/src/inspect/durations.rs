//! `cargo green-light durations`.

use std::collections::BTreeMap;
use std::process::ExitCode;

use serde::Serialize;

use crate::arguments::{DurationsBy, DurationsOptions, ProjectOptions};
use crate::error::Error;
use crate::events::Event;
use crate::print::{self, FAINT, STRONG, count, seconds};
use crate::project::Project;
use crate::run_tests::{TestRun, nothing_has_run};

/// Something that took time.
#[derive(Debug, PartialEq, Serialize)]
struct Duration {
    /// `set-up`, `body`, `teardown`; of sums, `fixture` or `test`.
    what: &'static str,
    /// Of a fixture or a test.
    name: String,
    /// The scope of a fixture.
    scope: Option<String>,
    /// The test that it was done in, unless it is the test itself.
    during: Option<String>,
    /// In seconds.
    took: f64,
    /// How many were added up.
    times: usize,
}

/// Runs the tests, and lists what took longest.
///
/// # Errors
///
/// When no test of green-light has run.
pub(crate) fn run(options: &DurationsOptions, project: &ProjectOptions) -> Result<ExitCode, Error> {
    let project = Project::find(project)?;
    let tests = TestRun {
        runner: options.runner,
        arguments: &options.arguments,
        show: None,
        may_print: !options.json,
    };
    let ended = tests.run(&project)?;
    let mut all = parts(&ended.events);
    if all.is_empty() {
        return Err(nothing_has_run());
    }
    match options.by {
        DurationsBy::Part => {}
        DurationsBy::Fixture => {
            all.retain(|part| part.what != "body");
            all = sums(all, "fixture", |part| part.name.clone());
        }
        DurationsBy::Test => {
            all = sums(all, "test", |part| {
                part.during.clone().unwrap_or_else(|| part.name.clone())
            });
        }
    }
    all.sort_by(|one, other| other.took.total_cmp(&one.took));
    match options.json {
        true => print::json(&all)?,
        false => print(&all, options.number),
    }
    Ok(ended.code)
}

/// Each set-up, body and teardown.
fn parts(events: &[Event]) -> Vec<Duration> {
    let mut parts = Vec::new();
    for event in events {
        let what = match &*event.kind {
            "SETUP" => "set-up",
            "TEARDOWN" => "teardown",
            "OUTCOME" => "body",
            _ => continue,
        };
        let is_body = what == "body";
        let name = if is_body { &event.test } else { &event.fixture };
        parts.push(Duration {
            what,
            name: name.clone().unwrap_or_default(),
            scope: event.scope.clone(),
            during: event.during.clone().filter(|_| !is_body),
            took: if is_body {
                event.phase("call")
            } else {
                event.took()
            },
            times: 1,
        });
    }
    parts
}

/// What has the same name, added up.
fn sums(parts: Vec<Duration>, what: &'static str, name: fn(&Duration) -> String) -> Vec<Duration> {
    let mut sums: BTreeMap<String, Duration> = BTreeMap::new();
    for part in parts {
        let name = name(&part);
        let sum = sums.entry(name.clone()).or_insert_with(|| Duration {
            what,
            name,
            scope: part.scope.clone().filter(|_| what == "fixture"),
            during: None,
            took: 0.0,
            times: 0,
        });
        sum.took += part.took;
        // A set-up and its teardown are one time.
        sum.times += usize::from(part.what == "set-up" || what == "test" && part.what == "body");
    }
    let mut sums: Vec<_> = sums.into_values().collect();
    if what == "test" {
        sums.iter_mut().for_each(|sum| sum.times = 1);
    }
    sums
}

fn print(all: &[Duration], number: usize) {
    let shown = &all[..all.len().min(number)];
    anstream::println!(
        "\n{STRONG}what took longest{STRONG:#} {FAINT}({} of {}){FAINT:#}",
        shown.len(),
        print::number(all.len())
    );
    for duration in shown {
        let scope = duration.scope.as_ref().map(|scope| format!(" [{scope}]"));
        let during = duration.during.as_ref().map(|test| format!(" in {test}"));
        let times =
            (duration.what == "fixture").then(|| format!(" {}", count(duration.times, "time")));
        anstream::println!(
            "{:>9}  {:<8} {}{}{FAINT}{}{}{FAINT:#}",
            seconds(duration.took),
            duration.what,
            duration.name,
            scope.unwrap_or_default(),
            during.unwrap_or_default(),
            times.unwrap_or_default()
        );
    }
}
