//! The end of a test, and its connection on the way back to the pool.
//!
//! A test is often over while the connection of its last statement is still on its way back. The second of the two
//! ends the outer transaction: the test, if it finds the connection; the way back, if it finds that the test
//! has ended. The latter saves looking at the connection twice.

use std::{
    fmt,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use green_light_core::Mutex;
use tokio::sync::Notify;

use crate::driver::outcome::FinishOutcome;

/// How long what gives the connection back may still have a handle to the pool itself.
const DROPPING: Duration = Duration::from_micros(60);

/// How often the way back lets other threads go first before it takes the test for one that goes on. A test that is at its
/// end needs some 20 microseconds to say so; if it comes too late, it has to wait for its connection.
const TURNS: usize = 3;

/// Whether nothing but the slot has the pool. To be called while the connection is on its way back.
type IsAlone = Box<dyn Fn() -> bool + Send>;

#[derive(Default)]
pub(crate) struct Handoff {
    /// Something if the test is over.
    end_requested: Mutex<Option<IsAlone>>,
    /// Whether the connection comes back from the test's end, with nothing left to do to it.
    returned: AtomicBool,
    ended: Mutex<Option<FinishOutcome>>,
    completion: Notify,
}

impl Handoff {
    /// Another test begins.
    pub(crate) fn reset(&self) {
        self.withdraw();
        drop(self.take());
    }

    /// The connection is new.
    pub(crate) fn reconnected(&self) {
        self.returned.store(false, Ordering::Release);
    }

    /// The test is over: the way back of the connection may end the outer transaction, if `is_alone` then.
    ///
    /// What else has the pool could get the connection afterwards, in the transaction of the next test.
    #[must_use = "the request ends with it"]
    pub(crate) fn request_end(&self, is_alone: IsAlone) -> RequestedEnd<'_> {
        *self.end_requested.lock() = Some(is_alone);
        RequestedEnd(self)
    }

    fn withdraw(&self) {
        // Dropped outside of the lock: it has a handle to the pool.
        let is_alone = self.end_requested.lock().take();
        drop(is_alone);
    }

    /// Whether the way back is to end the outer transaction.
    pub(crate) async fn ends(&self) -> bool {
        let (mut turns, mut begun) = (0, None);
        loop {
            let is_alone = self
                .end_requested
                .lock()
                .as_ref()
                .map(|is_alone| is_alone());
            match is_alone {
                Some(true) => return true,
                Some(false) => {
                    if begun.get_or_insert_with(Instant::now).elapsed() > DROPPING {
                        return false;
                    }
                    tokio::task::yield_now().await;
                }
                None if turns == TURNS => return false,
                None => {
                    turns += 1;
                    // The thread of the test may wait for this very processor.
                    thread::yield_now();
                }
            }
        }
    }

    /// The way back has ended the outer transaction.
    pub(crate) fn complete(&self, ended: FinishOutcome) {
        *self.ended.lock() = Some(ended);
        self.completion.notify_one();
    }

    /// How the way back ended the outer transaction, if it did.
    pub(crate) fn take(&self) -> Option<FinishOutcome> {
        self.ended.lock().take()
    }

    /// Waits until the way back has ended the outer transaction.
    pub(crate) async fn completed(&self) -> FinishOutcome {
        loop {
            if let Some(ended) = self.take() {
                return ended;
            }
            self.completion.notified().await;
        }
    }

    /// The test's end gives the connection back.
    pub(crate) fn mark_returned(&self) {
        self.returned.store(true, Ordering::Release);
    }

    /// Whether it was the test's end that gave the connection back.
    pub(crate) fn was_returned(&self) -> bool {
        self.returned.swap(false, Ordering::AcqRel)
    }
}

impl fmt::Debug for Handoff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handoff").finish_non_exhaustive()
    }
}

/// While it lives, the way back of the connection may end the outer transaction.
pub(crate) struct RequestedEnd<'a>(&'a Handoff);

impl Drop for RequestedEnd<'_> {
    fn drop(&mut self) {
        self.0.withdraw();
    }
}
