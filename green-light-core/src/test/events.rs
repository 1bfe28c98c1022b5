//! The first event of a process, what it will run; and the last of a test, how each phase went.

use std::sync::Once;

use crate::config::Config;
use crate::fixture::phase::Phase;
use crate::fixture::test_meta::TestMeta;
use crate::fixture::test_options::Xfail;
use crate::report::events;
use crate::report::events::Event;
use crate::report::failure::Failure;
use crate::test::last_test;
use crate::test::outcome::{BodyEnd, TestRecord};
use crate::test::verdict::Verdict;

/// Writes the `PLAN` event, once and before any other. None if the tests cannot be listed.
pub(crate) fn plan() {
    static WRITTEN: Once = Once::new();
    if events::enabled() {
        WRITTEN.call_once(|| {
            if let Some(planned) = last_test::planned() {
                let program = std::env::current_exe().unwrap_or_default();
                let program = program.file_stem().unwrap_or_default();
                let is_nextest = Config::get().is_ok_and(|config| config.nextest);
                Event::new("PLAN")
                    .list("tests", &planned.names)
                    .text("program", &program.to_string_lossy())
                    .text("runner", if is_nextest { "nextest" } else { "cargo" })
                    .write();
            }
        });
    }
}

/// Writes the `OUTCOME` event of a test.
pub(crate) fn outcome(meta: &TestMeta, record: &TestRecord, verdict: Verdict) {
    if !events::enabled() {
        return;
    }
    let before_body = record
        .refused
        .iter()
        .chain(record.setup.iter().map(|failed| &failed.failure));
    let setup_errors: Vec<String> = before_body.map(|failure| failure.message.clone()).collect();
    let setup = match &record.setup {
        Some(failed) if failed.failure.skipped => "skipped",
        _ if record.setup_failed() => "failed",
        _ if record.has_expired(|phase| matches!(phase, Phase::SetUp(_))) => "failed",
        _ => "passed",
    };
    let (call, call_errors) = call(meta, record);
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
    let teardown = if teardown_errors.is_empty()
        && !record.has_expired(|phase| matches!(phase, Phase::Teardown(_)))
    {
        "passed"
    } else {
        "failed"
    };
    let outcome = match verdict {
        Verdict::Failed if has_panicked_as_expected(meta, record) => "passed",
        Verdict::Passed if meta.should_panic.is_some() && record.body.is_some() => "failed",
        Verdict::Passed => "passed",
        Verdict::Failed | Verdict::SkipFailed | Verdict::XpassedStrict => "failed",
        Verdict::Error => "error",
        Verdict::Skipped => "skipped",
        Verdict::Xfailed => "xfailed",
        Verdict::Xpassed => "xpassed",
    };
    let mut event = Event::new("OUTCOME").text("test", meta.full_name());
    if let Some(began) = record.began {
        event = event.seconds("began", began);
    }
    event
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
        .took(&[
            ("setup", record.took.setup),
            ("call", record.took.call),
            ("teardown", record.took.teardown),
        ])
        .write();
}

/// Whether libtest lets the test pass because of `#[should_panic]`. Only the body may panic.
fn has_panicked_as_expected(meta: &TestMeta, record: &TestRecord) -> bool {
    let expected = match &record.body {
        Some(BodyEnd::Failed(failure) | BodyEnd::Panicked { failure, .. }) => meta.expects(failure),
        Some(BodyEnd::Passed) | None => false,
    };
    expected && !record.body_expired() && !record.fixtures_failed()
}

/// The word for the body, and what it said.
fn call(meta: &TestMeta, record: &TestRecord) -> (Option<&'static str>, Vec<String>) {
    let expects_failure = meta.options.xfail != Xfail::No;
    let failed = if expects_failure { "xfailed" } else { "failed" };
    match &record.body {
        _ if record.body_expired() => (Some(failed), vec!["timeout".to_owned()]),
        Some(BodyEnd::Passed) if meta.should_panic.is_some() => (
            Some("failed"),
            vec!["it did not panic, as `#[should_panic]` expects".to_owned()],
        ),
        Some(BodyEnd::Failed(failure) | BodyEnd::Panicked { failure, .. })
            if meta.expects(failure) =>
        {
            (Some("passed"), Vec::new())
        }
        Some(BodyEnd::Passed) => match meta.options.xfail {
            Xfail::No => (Some("passed"), Vec::new()),
            Xfail::Yes => (Some("xpassed"), Vec::new()),
            Xfail::Strict => (Some("failed"), vec!["XPASS(strict)".to_owned()]),
        },
        Some(BodyEnd::Failed(failure)) if failure.skipped => {
            (Some("skipped"), vec![failure.message.clone()])
        }
        Some(BodyEnd::Failed(failure) | BodyEnd::Panicked { failure, .. }) => {
            (Some(failed), vec![failure.message.clone()])
        }
        None => (None, Vec::new()),
    }
}
