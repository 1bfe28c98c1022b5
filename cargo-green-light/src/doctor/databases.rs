//! The databases: found or started, and tried as a test does.

use std::collections::BTreeSet;
use std::error::Error as _;
use std::time::Instant;

use green_light_fixtures::checkup::{self, ServerFacts, ServerState};
use green_light_fixtures::{Backend, Error as FixtureError};
use tokio::runtime::Runtime;

use crate::doctor::finding::{Finding, Topic};
use crate::error::Error;
use crate::print::seconds;
use crate::spinner::Spinner;

const TOPIC: Topic = Topic::Databases;

/// Tries those whose features are on, or all.
pub(crate) fn examine(features: Option<&BTreeSet<String>>, all: bool) -> Vec<Finding> {
    let runtime = match Runtime::new().map_err(|error| Error::no_runtime(&error)) {
        Ok(runtime) => runtime,
        Err(error) => return vec![Finding::told(TOPIC, &error.to_string())],
    };
    let mut findings = Vec::new();
    for backend in checkup::BACKENDS {
        let is_on = features.is_none_or(|features| features.contains(backend.name()));
        if is_on || all {
            findings.extend(try_out(&runtime, backend));
        } else {
            findings.push(left_out(backend));
        }
    }
    findings
}

/// A database that no test uses.
fn left_out(backend: Backend) -> Finding {
    let facts = checkup::server_facts(backend).ok().flatten();
    let installed = facts.as_ref().map(|facts| match installed(facts) {
        Some(installed) => format!("\n  installed is {installed}"),
        None => "\n  it is not installed".to_owned(),
    });
    Finding::good(
        TOPIC,
        format!(
            "{} was not tried, because its feature `{backend}` is off{}",
            name(backend, facts.as_ref()),
            installed.unwrap_or_default()
        ),
    )
}

fn try_out(runtime: &Runtime, backend: Backend) -> Vec<Finding> {
    let spinner = Spinner::start(format!("trying {}", name(backend, None)));
    let facts = checkup::server_facts(backend).ok().flatten();
    let mut findings = Vec::new();
    let state = match runtime.block_on(checkup::server_state(backend)) {
        Ok(state) => state,
        Err(error) => return vec![failed(backend, facts.as_ref(), &error)],
    };
    let begun = Instant::now();
    let tried = runtime.block_on(checkup::try_out(backend));
    let took = begun.elapsed().as_secs_f64();
    drop(spinner);
    match tried {
        Ok(()) => findings.push(Finding::good(
            TOPIC,
            works(backend, facts.as_ref(), state.as_ref(), took),
        )),
        Err(error) => findings.push(failed(backend, facts.as_ref(), &error)),
    }
    if let Some(hint) = state.and_then(|state| state.hint) {
        let hint = hint.strip_prefix("hint: ").unwrap_or(&hint);
        let (fact, help) = hint
            .split_once("; ")
            .unwrap_or((hint, "see the documentation of the server"));
        findings.push(Finding::note(TOPIC, fact, help));
    }
    findings
}

fn works(
    backend: Backend,
    facts: Option<&ServerFacts>,
    state: Option<&ServerState>,
    took: f64,
) -> String {
    let name = name(backend, facts);
    let tried = format!(
        "a transaction and a database of its own took {}",
        seconds(took)
    );
    let (Some(facts), Some(state)) = (facts, state) else {
        return format!("{name}, built into the tests\n  {tried}");
    };
    let version = state.version.as_deref().unwrap_or("of unknown version");
    let whose = match (state.is_ours, &facts.program) {
        (false, _) => format!("the server of `{}`", facts.variable),
        (true, Some(program)) => {
            format!("started from `{}`, without durability", program.display())
        }
        (true, None) => "started by green-light, without durability".to_owned(),
    };
    let mut text = format!("{name} {version}, {whose}\n  {tried}\n  at {}", state.url);
    if let Some(log) = &state.log {
        text.push_str(&format!("\n  log in `{}`", log.display()));
    }
    text
}

/// As a person calls it.
fn name(backend: Backend, facts: Option<&ServerFacts>) -> String {
    match (facts, backend) {
        (Some(facts), _) => facts.name.to_owned(),
        (None, Backend::Sqlite) => "SQLite".to_owned(),
        (None, other) => other.to_string(),
    }
}

fn failed(backend: Backend, facts: Option<&ServerFacts>, error: &FixtureError) -> Finding {
    let mut finding = Finding::told(TOPIC, &error.to_string());
    let mut cause = error.source();
    while let Some(because) = cause {
        finding.fact.push_str(&format!(
            "\n  caused by: {}",
            green_light_core::redacted(&because.to_string())
        ));
        cause = because.source();
    }
    if let Some(installed) = facts.filter(|facts| !facts.is_named).and_then(installed) {
        finding
            .fact
            .push_str(&format!("\n  installed is {installed}"));
    }
    let name = name(backend, facts);
    if !finding.fact.starts_with(&name) {
        finding.fact = format!("{name}: {}", finding.fact);
    }
    finding
}

/// The program of a server, with its version.
fn installed(facts: &ServerFacts) -> Option<String> {
    let program = facts.program.as_ref()?;
    let version = facts
        .program_version
        .as_deref()
        .unwrap_or("which does not say its version");
    Some(format!("`{}` ({version})", program.display()))
}
