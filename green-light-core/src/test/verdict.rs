//! Whether a test has passed, and how libtest learns it.
//!
//! libtest understands a panic and nothing else. So everything that went wrong is printed on this
//! thread, where libtest captures it, and then one panic is raised without printing again: the
//! body's own payload if it panicked, so that `#[should_panic(expected = ..)]` sees it.
//!
//! A skip and an expected failure pass. Errors of fixtures never do, unlike in pytest, where `xfail`
//! swallows those too.

use std::any::Any;
use std::panic::resume_unwind;

use crate::config::Config;
use crate::fixture::phase::Phase;
use crate::fixture::test_meta::TestMeta;
use crate::fixture::test_options::Xfail;
use crate::messages::text;
use crate::report::failure::Failure;
use crate::report::print::{say, say_to_terminal};
use crate::test::outcome::{BodyEnd, TestRecord};

/// What became of a test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Passed,
    /// The body failed.
    Failed,
    /// A fixture failed, an around fixture included.
    Error,
    Skipped,
    /// It was skipped, and `GREEN_LIGHT_SKIP=fail`.
    SkipFailed,
    /// It failed, as expected.
    Xfailed,
    /// It passed, unexpectedly.
    Xpassed,
    /// It passed, unexpectedly, with `xfail = "strict"`.
    XpassedStrict,
}

impl Verdict {
    pub(crate) fn of(meta: &TestMeta, record: &TestRecord) -> Self {
        let skips_fail = Config::get().is_ok_and(|config| config.skips_fail);
        if record.body_failed() && meta.options.xfail == Xfail::No {
            return Self::Failed;
        }
        let passed = matches!(record.body, Some(BodyEnd::Passed)) && !record.body_failed();
        if passed && meta.options.xfail == Xfail::Strict {
            return Self::XpassedStrict;
        }
        if record.fixtures_failed() {
            return Self::Error;
        }
        match meta.options.xfail {
            _ if record.skip().is_some() && skips_fail => Self::SkipFailed,
            _ if record.skip().is_some() => Self::Skipped,
            Xfail::No => Self::Passed,
            Xfail::Yes | Xfail::Strict if record.body_failed() => Self::Xfailed,
            Xfail::Yes | Xfail::Strict if passed => Self::Xpassed,
            // Nothing has run (`GREEN_LIGHT_SHOW=plan`).
            Xfail::Yes | Xfail::Strict => Self::Passed,
        }
    }
}

/// Prints what has not been printed yet and tells libtest.
///
/// # Panics
///
/// If the test failed.
pub(crate) fn conclude(meta: &'static TestMeta, record: TestRecord, verdict: Verdict) {
    for error in late(meta, &record) {
        say(&error);
    }
    match verdict {
        Verdict::SkipFailed => say(&text::skip_fails(meta, record.skip())),
        Verdict::Skipped => say_to_terminal(&text::skipped(meta, record.skip())),
        Verdict::Xfailed => say(&text::xfailed(meta)),
        Verdict::Xpassed => say_to_terminal(&text::xpassed(meta)),
        Verdict::XpassedStrict => say(&text::xpassed_strict(meta)),
        Verdict::Passed | Verdict::Failed | Verdict::Error => {}
    }
    if let Some(expected) = meta.should_panic {
        return under_should_panic(record, verdict, expected);
    }
    let body: Option<Box<dyn Any + Send>> = match record.body {
        Some(BodyEnd::Failed(failure)) => Some(Box::new(failure.message)),
        Some(BodyEnd::Panicked { payload, .. }) => Some(payload),
        Some(BodyEnd::Passed) | None => None,
    };
    match (verdict, body) {
        (Verdict::Failed, Some(payload)) => resume_unwind(payload),
        (Verdict::Failed, None) => resume_unwind(Box::new("the body took too long")),
        (Verdict::Error, _) => resume_unwind(Box::new("a fixture failed")),
        (Verdict::SkipFailed, _) => resume_unwind(Box::new("skipped")),
        (Verdict::XpassedStrict, _) => resume_unwind(Box::new("passed unexpectedly")),
        (Verdict::Passed | Verdict::Skipped | Verdict::Xfailed | Verdict::Xpassed, _) => {}
    }
}

/// libtest wants a panic. Returning makes it say that there was none, so the test fails.
fn under_should_panic(record: TestRecord, verdict: Verdict, expected: &'static str) {
    if record.fixtures_failed() {
        say(text::ONLY_THE_BODY_MAY_PANIC);
        return;
    }
    match (verdict, record.body) {
        (Verdict::Failed, Some(BodyEnd::Panicked { payload, .. })) => resume_unwind(payload),
        (Verdict::Failed, Some(BodyEnd::Failed(failure))) => {
            resume_unwind(Box::new(failure.message))
        }
        // It did not run, so it neither panicked nor failed to.
        (Verdict::Skipped, _) | (Verdict::Passed, None) => resume_unwind(Box::new(expected)),
        _ => {}
    }
}

/// Everything that went wrong and has not been printed when it happened.
pub(crate) fn late(meta: &TestMeta, record: &TestRecord) -> Vec<String> {
    let refused = record
        .refused
        .iter()
        .map(|failure| text::refused(meta, failure));
    let own = record
        .own_teardown
        .iter()
        .map(|failure| text::own_teardown_error(meta, failure));
    let teardown = record
        .teardown
        .iter()
        .map(|failed| text::teardown_error(meta, failed));
    let around = record.around.iter().map(text::around_error);
    let tasks = record.tasks.iter();
    let tasks = tasks.map(|failure| text::task_error(meta, failure));
    let expired = record.expired.iter().map(|late| text::expired(meta, late));
    expired
        .chain(refused)
        .chain(tasks)
        .chain(own)
        .chain(teardown)
        .chain(around)
        .collect()
}

impl TestRecord {
    /// Whether the body failed, or took too long.
    pub(crate) fn body_failed(&self) -> bool {
        match &self.body {
            // It may have returned after its time, having swallowed the cancellation.
            _ if self.body_expired() => true,
            Some(BodyEnd::Failed(failure)) => !failure.skipped,
            Some(BodyEnd::Panicked { .. }) => true,
            Some(BodyEnd::Passed) | None => false,
        }
    }

    pub(crate) fn body_expired(&self) -> bool {
        self.has_expired(|phase| matches!(phase, Phase::Body))
    }

    /// Whether anything but the body failed.
    pub(crate) fn fixtures_failed(&self) -> bool {
        self.setup_failed()
            || self.has_expired(|phase| !matches!(phase, Phase::Body))
            || !(self.teardown.is_empty() && self.own_teardown.is_empty() && self.around.is_empty())
            || !(self.tasks.is_empty() || self.body_failed())
    }

    /// What a `skip` in the body or in a fixture said.
    pub(crate) fn skip(&self) -> Option<&Failure> {
        let setup = self.setup.iter().map(|failed| &failed.failure);
        let body = self.body.iter().filter_map(|end| match end {
            BodyEnd::Failed(failure) => Some(failure),
            BodyEnd::Passed | BodyEnd::Panicked { .. } => None,
        });
        setup.chain(body).find(|failure| failure.skipped)
    }

    pub(crate) fn has_expired(&self, wanted: impl Fn(&Phase) -> bool) -> bool {
        self.expired.iter().any(|late| wanted(&late.phase))
    }
}
