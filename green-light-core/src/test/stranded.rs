//! A test whose thread cannot go back to libtest.
//!
//! Its body, or a destructor of it, was cancelled and does not end: it catches the unwinding again and again, or
//! waits for what never comes. What is on a stack must not be taken away, and this one is the thread's. So the
//! thread stays where it is, and libtest waits for it in vain. The test is torn down and reported by its executor,
//! the tests that run beside it go on, and then the process ends as a failed run does.

use std::process;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::fixture::test_meta::TestMeta;
use crate::messages::text;
use crate::report::print::say_to_terminal;
use crate::test::events;
use crate::test::outcome::TestRecord;
use crate::test::verdict::{Verdict, late};

/// How long no other test has to run before the process ends: libtest starts the next one at once.
const QUIET: Duration = Duration::from_secs(1);
const GLANCE: Duration = Duration::from_millis(20);

/// The status of a failed run of libtest's.
const FAILED: i32 = 101;

/// Tests that have begun and not ended, those that are stranded left out.
static RUNNING: AtomicUsize = AtomicUsize::new(0);

/// A test that runs on this thread.
#[must_use]
pub(crate) struct Running(());

impl Running {
    pub(crate) fn begin() -> Self {
        RUNNING.fetch_add(1, Ordering::AcqRel);
        Self(())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        RUNNING.fetch_sub(1, Ordering::AcqRel);
    }
}

/// Reports the test whose thread this is, and ends the process when no other test runs any more.
pub(crate) fn stranded(meta: &'static TestMeta, record: &TestRecord) {
    let verdict = Verdict::of(meta, record);
    events::outcome(meta, record, verdict);
    say_to_terminal(&text::stranded(meta, &late(meta, record)));
    // Its `Running` is further down on this stack and will not be dropped.
    RUNNING.fetch_sub(1, Ordering::AcqRel);
    let mut busy = Instant::now();
    while busy.elapsed() < QUIET {
        if RUNNING.load(Ordering::Acquire) > 0 {
            busy = Instant::now();
        }
        thread::sleep(GLANCE);
    }
    say_to_terminal(&text::ends_stranded(meta));
    process::exit(FAILED);
}
