//! The last event of a test: how each phase went.

use super::case::TestMeta;
use super::deadline::Phase;
use super::outcome::{BodyEnd, Record};
use crate::report::Failure;
use crate::report::events::{self, Event};

/// Writes the `OUTCOME` event of a test.
pub(crate) fn outcome(meta: &TestMeta, record: &Record) {
    if !events::enabled() {
        return;
    }
    let word = |failed: bool| if failed { "failed" } else { "passed" };
    let before_body = record
        .refused
        .iter()
        .chain(record.setup.iter().map(|failed| &failed.failure));
    let setup_errors: Vec<String> = before_body.map(|failure| failure.message.clone()).collect();
    let (call, call_errors) = match &record.body {
        Some(BodyEnd::Passed) => (Some("passed"), Vec::new()),
        Some(BodyEnd::Failed(failure) | BodyEnd::Panicked { failure, .. }) => {
            (Some("failed"), vec![failure.message.clone()])
        }
        None if record
            .expired
            .iter()
            .any(|(phase, _)| matches!(phase, Phase::Body)) =>
        {
            (Some("failed"), vec!["timeout".to_owned()])
        }
        None => (None, Vec::new()),
    };
    // As pytest groups them: latest first.
    let late = record
        .own_teardown
        .iter()
        .chain(record.teardown.iter().map(|failed| &failed.failure));
    let mut teardown_errors: Vec<String> = late
        .chain(&record.around)
        .map(|failure: &Failure| failure.message.clone())
        .collect();
    teardown_errors.reverse();
    let expired =
        |wanted: fn(&Phase) -> bool| record.expired.iter().any(|(phase, _)| wanted(phase));
    let setup = word(record.setup_failed() || expired(|phase| matches!(phase, Phase::SetUp(_))));
    let teardown =
        word(!teardown_errors.is_empty() || expired(|phase| matches!(phase, Phase::Teardown(_))));
    let outcome = match call {
        Some("failed") => "failed",
        _ if setup == "failed" || teardown == "failed" => "error",
        _ => call.unwrap_or(setup),
    };
    Event::new("OUTCOME")
        .text("test", meta.full_name())
        .text("outcome", outcome)
        .text("setup", setup)
        .optional("call", call)
        .text("teardown", teardown)
        .lists(
            "errors",
            &[
                ("setup", setup_errors),
                ("call", call_errors),
                ("teardown", teardown_errors),
            ],
        )
        .write();
}
