//! The end of a test, and its connection on the way back to the pool.
//!
//! A test is often over while the connection of its last statement is still on its way back. Whoever
//! comes second ends the outer transaction: the test, if it finds the connection; the connection's
//! way back, if it finds that the test has ended. The latter saves looking at the connection twice.

use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use tokio::sync::Notify;

use crate::driver::outcome::Ended;

#[derive(Debug, Default)]
pub(crate) struct Finish {
    /// Whether the test is over.
    wanted: AtomicBool,
    /// Whether the connection comes back from the test's end, with nothing left to do to it.
    put_back: AtomicBool,
    ended: Mutex<Option<Ended>>,
    told: Notify,
}

impl Finish {
    /// Another test begins.
    pub(crate) fn reset(&self) {
        self.wanted.store(false, Ordering::Release);
        drop(self.take());
    }

    /// The connection is new.
    pub(crate) fn reconnected(&self) {
        self.put_back.store(false, Ordering::Release);
    }

    /// The test is over: the outer transaction may be ended by whoever has the connection.
    pub(crate) fn want(&self) {
        self.wanted.store(true, Ordering::Release);
    }

    pub(crate) fn is_wanted(&self) -> bool {
        self.wanted.load(Ordering::Acquire)
    }

    /// The outer transaction has been ended on the way back.
    pub(crate) fn tell(&self, ended: Ended) {
        *self.ended.lock().unwrap_or_else(PoisonError::into_inner) = Some(ended);
        self.told.notify_one();
    }

    /// How the outer transaction was ended on the way back, if it was.
    pub(crate) fn take(&self) -> Option<Ended> {
        self.ended
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }

    /// Timeouts until the outer transaction has been ended on the way back.
    pub(crate) async fn told(&self) -> Ended {
        loop {
            if let Some(ended) = self.take() {
                return ended;
            }
            self.told.notified().await;
        }
    }

    /// The test's end gives the connection back.
    pub(crate) fn put_back(&self) {
        self.put_back.store(true, Ordering::Release);
    }

    /// Whether it was the test's end that gave the connection back.
    pub(crate) fn was_put_back(&self) -> bool {
        self.put_back.swap(false, Ordering::AcqRel)
    }
}
