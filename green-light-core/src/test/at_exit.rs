//! The safety net of the schedule: shared fixtures still alive when the process ends.
//!
//! They are torn down in `atexit`, after libtest's summary. A teardown that fails there has no test
//! left to fail, so it is printed and turns the exit status red.

use std::sync::{OnceLock, mpsc};
use std::time::Duration;

use crate::fixture::fixture_failure::FixtureFailure;
use crate::fixture::store::Store;
use crate::messages::text;
use crate::os;
use crate::report::durations;
use crate::report::failure::Failure;
use crate::report::print::say_to_terminal;
use crate::runtime::shared::block_on;
use crate::test::hints;

/// How long the end of the process waits for teardowns.
const PATIENCE: Duration = Duration::from_secs(30);

/// Registers the net, once.
///
/// # Errors
///
/// If the C library refuses, for want of memory.
pub(crate) fn register() -> Result<(), Failure> {
    static REGISTERED: OnceLock<Result<(), Failure>> = OnceLock::new();
    REGISTERED
        .get_or_init(|| {
            os::at_exit(end).map_err(|error| {
                Failure::new(format!(
                    "no function could be registered for the end of the process: {error}"
                ))
            })
        })
        .clone()
}

fn end() {
    let ended_well = tear_down();
    durations::print();
    hints::print();
    if !ended_well {
        os::exit_failed();
    }
}

/// Whether nothing failed.
fn tear_down() -> bool {
    if !Store::has_ends() {
        return true;
    }
    // `exit` may be called from any thread, and has destroyed its thread-locals by now: tokio and
    // contexts need a thread of their own. One that does not come back must not keep the process.
    let (done, ended) = mpsc::channel();
    let thread = os::spawn_uncaptured("green-light-exit", move || {
        if let Ok(failures) = block_on(tear_down_all()) {
            let _ = done.send(failures);
        }
    });
    let failures = thread.ok().map(|_| ended.recv_timeout(PATIENCE));
    let Some(Ok(failures)) = failures else {
        say_to_terminal(text::LATE_TEARDOWN_HANGS);
        return false;
    };
    for failed in &failures {
        say_to_terminal(&text::late_teardown_error(failed));
    }
    failures.is_empty()
}

async fn tear_down_all() -> Vec<FixtureFailure> {
    let mut failed = Vec::new();
    for scope in Store::scopes() {
        for shared in Store::take(scope) {
            let definition = shared.label.definition;
            let failures = shared.tear_down("").await;
            failed.extend(
                failures
                    .into_iter()
                    .map(|failure| FixtureFailure::in_teardown(definition, failure)),
            );
        }
    }
    failed
}
