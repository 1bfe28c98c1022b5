//! The end of a test, and its connection on the way back to the pool.
//!
//! A test is often over while the connection of its last statement is still on its way back. The second of the two
//! ends the outer transaction: the test, if it finds the connection; the way back, if it finds that the test
//! has ended. The latter saves looking at the connection twice.

use std::sync::atomic::{AtomicBool, Ordering};

use green_light_core::Mutex;
use tokio::sync::Notify;

use crate::driver::outcome::FinishOutcome;

#[derive(Debug, Default)]
pub(crate) struct Handoff {
    /// Whether the test is over.
    end_requested: AtomicBool,
    /// Whether the connection comes back from the test's end, with nothing left to do to it.
    returned: AtomicBool,
    ended: Mutex<Option<FinishOutcome>>,
    completion: Notify,
}

impl Handoff {
    /// Another test begins.
    pub(crate) fn reset(&self) {
        self.end_requested.store(false, Ordering::Release);
        drop(self.take());
    }

    /// The connection is new.
    pub(crate) fn reconnected(&self) {
        self.returned.store(false, Ordering::Release);
    }

    /// The test is over: the way back of the connection may end the outer transaction.
    pub(crate) fn request_end(&self) {
        self.end_requested.store(true, Ordering::Release);
    }

    pub(crate) fn is_end_requested(&self) -> bool {
        self.end_requested.load(Ordering::Acquire)
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
