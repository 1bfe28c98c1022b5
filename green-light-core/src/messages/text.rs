//! The text of a failed test: which phase, which fixture, where, needed by whom.
//!
//! libtest knows only ok and FAILED, so the difference between a set-up error, a failure and a
//! teardown error is in the first words.

use std::fmt::Write;

use crate::fixture::fixture_failure::FixtureFailure;
use crate::fixture::phase::{Expired, Phase};
use crate::fixture::scope::Scope;
use crate::fixture::test_meta::TestMeta;
use crate::report::explain::lookup::explain;
use crate::report::failure::Failure;

/// A failed set-up.
pub(crate) fn setup_error(test: &TestMeta, failed: &FixtureFailure) -> String {
    if let Some(reported_by) = &failed.reported_by {
        return format!(
            "setup error: fixture `{}` failed before: {}, as test `{reported_by}` reports in full",
            failed.definition.name,
            first_line(&failed.failure.message),
        );
    }
    let mut text = format!("setup error: {}", fixture_failed(failed));
    text.push_str("\n  needed by ");
    for definition in &failed.needed_by {
        let _ = write!(text, "`{}`, needed by ", definition.name);
    }
    let _ = write!(text, "test `{}` ({})", test.name(), test.location);
    text + &explain(&failed.failure)
}

/// A failed teardown.
pub(crate) fn teardown_error(test: &TestMeta, failed: &FixtureFailure) -> String {
    let mut text = format!("teardown error: {}", fixture_failed(failed));
    let scope = failed.definition.scope;
    if scope == Scope::Run {
        let _ = write!(
            text,
            "\n  at the end of an earlier run; test `{}` ({}) is the first to need it since, and has nothing to do with it",
            test.name(),
            test.location
        );
    } else if scope.is_wide() {
        let _ = write!(
            text,
            "\n  its scope is `{scope}`; test `{}` ({}) was the last of it and need not have used it",
            test.name(),
            test.location
        );
    } else {
        let _ = write!(text, "\n  after test `{}` ({})", test.name(), test.location);
    }
    text + &explain(&failed.failure)
}

/// A task of a test that went wrong, besides what else has.
pub(crate) fn task_error(test: &TestMeta, failure: &Failure) -> String {
    format!(
        "task error: a task of test `{}` {}{}",
        test.name(),
        said(failure),
        explain(failure)
    )
}

/// Teardown at the end of the process takes too long.
pub(crate) const LATE_TEARDOWN_HANGS: &str =
    "teardown error at the end of the process: shared fixtures did not end within 30 s";

/// A shared fixture whose teardown failed when no test was left to report it.
pub(crate) fn late_teardown_error(failed: &FixtureFailure) -> String {
    format!(
        "teardown error at the end of the process: {}{}",
        fixture_failed(failed),
        explain(&failed.failure)
    )
}

/// A failed `on_teardown` step of the test itself.
pub(crate) fn own_teardown_error(test: &TestMeta, failure: &Failure) -> String {
    format!(
        "teardown error: an `on_teardown` step of test `{}` {}{}",
        test.name(),
        said(failure),
        explain(failure)
    )
}

/// A body that returned an error.
pub(crate) fn body_error(test: &TestMeta, failure: &Failure) -> String {
    let how = if failure.via.is_empty() {
        "returned as an error at"
    } else {
        "in the body of the test at"
    };
    format!(
        "test `{}` {}\n  {how} {}{}",
        test.name(),
        said(failure),
        test.location,
        explain(failure)
    )
}

/// A skipped test.
pub(crate) fn skipped(test: &TestMeta, skip: Option<&Failure>) -> String {
    format!("skipped: {} (test `{}`)", why(skip), test.full_name())
}

/// A skipped test, where none may be.
pub(crate) fn skip_fails(test: &TestMeta, skip: Option<&Failure>) -> String {
    format!(
        "skipped: {}\n  test `{}` ({}) fails, because `GREEN_LIGHT_SKIP=fail`",
        why(skip),
        test.name(),
        test.location
    )
}

fn why(skip: Option<&Failure>) -> &str {
    skip.map_or("", |failure| &failure.message)
}

/// A test that failed as expected.
pub(crate) fn xfailed(test: &TestMeta) -> String {
    format!("xfailed: test `{}` fails, as `xfail` expects", test.name())
}

/// A test that passed unexpectedly.
pub(crate) fn xpassed(test: &TestMeta) -> String {
    format!(
        "xpassed: test `{}` passes, though `xfail` expects a failure",
        test.full_name()
    )
}

/// A test that passed unexpectedly, and must not.
pub(crate) fn xpassed_strict(test: &TestMeta) -> String {
    format!(
        "xpassed: test `{}` ({}) passes, though `xfail = \"strict\"` expects a failure\n  \
         help: if what it waited for is repaired, remove `xfail`",
        test.name(),
        test.location
    )
}

/// A body that panicked, of which the panic hook has printed the message: what that means, if there
/// is more to say.
pub(crate) fn body_panic(test: &TestMeta, failure: &Failure) -> Option<String> {
    let explanation = explain(failure);
    (!explanation.is_empty()).then(|| {
        format!(
            "note: about the panic of test `{}`{explanation}",
            test.name()
        )
    })
}

/// A phase that took too long.
pub(crate) fn expired(test: &TestMeta, late: &Expired) -> String {
    let Expired { phase, limit, took } = *late;
    let (what, place) = match phase {
        Phase::SetUp(fixture) => (
            format!("set-up of fixture `{}`", fixture.name),
            fixture.location,
        ),
        Phase::Body => (format!("body of test `{}`", test.name()), test.location),
        Phase::Teardown(Some(fixture)) => (
            format!("teardown of fixture `{}`", fixture.name),
            fixture.location,
        ),
        Phase::Teardown(None) => (format!("teardown of test `{}`", test.name()), test.location),
    };
    let more = "give it more time with `timeout = \"..\"`, or";
    let mut text = match took {
        None => format!(
            "timeout: the {what} ({place}) was not done after {limit:?}\n  \
             help: {more} find out what it waits for"
        ),
        Some(took) => format!(
            "timeout: the {what} ({place}) was done after {took:.1?}, and had {limit:?}\n  \
             note: it blocked its thread, so it could not be stopped\n  \
             help: {more} `.await` or `wait` where it blocks"
        ),
    };
    if !matches!(phase, Phase::Body) {
        let _ = write!(
            text,
            "\n  needed by test `{}` ({})",
            test.name(),
            test.location
        );
    }
    text
}

/// A test that does not end, with what else went wrong in it.
pub(crate) fn stranded(test: &TestMeta, errors: &[String]) -> String {
    let mut text = format!(
        "error: test `{}` ({}) was cancelled and does not end, so its thread cannot go back to libtest\n  \
         note: this process ends as a failed run does, as soon as no other test runs beside it\n  \
         help: let the unwinding of `wait` pass (`is_cancelled_payload` knows it), and wait in destructors for \
         what is sure to come",
        test.full_name(),
        test.location
    );
    for error in errors {
        text.push('\n');
        text.push_str(error);
    }
    text
}

/// The last words of a process with such a test.
pub(crate) fn ends_stranded(test: &TestMeta) -> String {
    format!(
        "error: this process ends here, because test `{}` does not; tests that have not begun are not run",
        test.full_name()
    )
}

/// After the failure of a fixture under `#[should_panic]`.
pub(crate) const ONLY_THE_BODY_MAY_PANIC: &str =
    "under `#[should_panic]` the body may panic, but its fixtures may not: the test fails";

/// An around fixture that failed the test.
pub(crate) fn around_error(failure: &Failure) -> String {
    format!("around fixture {}{}", said(failure), explain(failure))
}

/// A test that was not started.
pub(crate) fn refused(test: &TestMeta, failure: &Failure) -> String {
    let mut text = format!("setup error: {failure}");
    causes(&mut text, failure);
    let _ = write!(
        text,
        "\n  needed by test `{}` ({})",
        test.name(),
        test.location
    );
    text + &explain(failure)
}

fn fixture_failed(failed: &FixtureFailure) -> String {
    let definition = failed.definition;
    format!(
        "fixture `{}` {}\n  declared at {}",
        definition.name,
        said(&failed.failure),
        definition.location
    )
}

fn said(failure: &Failure) -> String {
    let verb = if failure.panicked {
        "panicked"
    } else {
        "failed"
    };
    let mut text = format!("{verb}: {}", failure.message);
    causes(&mut text, failure);
    if let Some(place) = &failure.place {
        let _ = write!(text, "\n  panicked at {place}");
    }
    for line in &failure.via {
        let _ = write!(text, "\n  {line}");
    }
    text
}

fn causes(text: &mut String, failure: &Failure) {
    for cause in &failure.causes {
        let _ = write!(text, "\n  caused by: {cause}");
    }
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or(text)
}
