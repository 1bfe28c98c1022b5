//! What a running test keeps for the dynamic requests of its body and its own fixtures.

use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::pin::pin;

use tokio::sync::Notify;

use crate::fixture::definition::Definition;
use crate::fixture::plan::Frame;
use crate::fixture::wait_graph;
use crate::report::failure::Failure;

/// A fixture that could not be set up, and the test that reported it in full.
pub(crate) type SetupFailure = (Failure, Option<String>);

/// A fixture that is in no plan.
pub(crate) struct Extra {
    pub(crate) definition: &'static Definition,
    pub(crate) path: Vec<Frame>,
    /// Whether its value is for one requester alone.
    pub(crate) is_own: bool,
}

/// What a test keeps for its dynamic requests.
#[derive(Default)]
pub(crate) struct Dynamic {
    /// Fixtures that are not in the plan; their places follow those of the plan.
    pub(crate) extras: RefCell<Vec<Extra>>,
    /// What was requested besides, with all that it needs, whether it has been set up or not.
    pub(crate) requested: RefCell<Vec<&'static Definition>>,
    /// Set-ups of this test that have failed, by place.
    failed: RefCell<Vec<(usize, SetupFailure)>>,
    /// Places whose set-up is going on.
    busy: RefCell<Vec<usize>>,
    /// Told when one of those ends.
    settled: Notify,
    /// The place whose set-up is being polled.
    pub(crate) current: Cell<Option<usize>>,
    /// Which set-up waits for which other, by place.
    waits: RefCell<Vec<(usize, usize)>>,
    /// Nothing new is set up from now on.
    pub(crate) ending: Cell<bool>,
}

impl Dynamic {
    /// Runs the set-up at `place`, which may make requests.
    pub(crate) async fn setting_up<F: Future>(&self, place: usize, set_up: F) -> F::Output {
        struct Busy<'a>(&'a Dynamic, usize);
        impl Drop for Busy<'_> {
            fn drop(&mut self) {
                self.0.busy.borrow_mut().retain(|place| *place != self.1);
                self.0.settled.notify_waiters();
            }
        }
        struct Current<'a>(&'a Dynamic, Option<usize>);
        impl Drop for Current<'_> {
            fn drop(&mut self) {
                self.0.current.set(self.1);
            }
        }
        self.busy.borrow_mut().push(place);
        let _busy = Busy(self, place);
        let mut set_up = pin!(set_up);
        poll_fn(|cx| {
            let _restored = Current(self, self.current.replace(Some(place)));
            set_up.as_mut().poll(cx)
        })
        .await
    }

    pub(crate) fn keep_failure(&self, place: usize, failed: &SetupFailure) {
        self.failed.borrow_mut().push((place, failed.clone()));
    }

    pub(crate) fn failure(&self, place: usize) -> Option<SetupFailure> {
        let failed = self.failed.borrow();
        let kept = failed.iter().find(|(at, _)| *at == place)?;
        Some(kept.1.clone())
    }

    /// Waits while the set-up at `place` is going on elsewhere.
    ///
    /// # Errors
    ///
    /// The places on the way from there to the set-up that asks, if that waits for this request.
    pub(crate) async fn wait_for(&self, place: usize) -> Result<(), Vec<usize>> {
        loop {
            let settled = self.settled.notified();
            if !self.busy.borrow().contains(&place) {
                return Ok(());
            }
            let asking = self.current.get();
            if let Some(asking) = asking
                && let Some(path) = wait_graph::path(&self.waits.borrow(), place, asking)
            {
                return Err(path);
            }
            let _waiting = asking.map(|asking| self.waiting(asking, place));
            settled.await;
        }
    }

    /// Notes that the set-up at `asking` waits for that at `place`, until what is returned is dropped.
    pub(crate) fn waiting(&self, asking: usize, place: usize) -> impl Drop {
        struct Waiting<'a>(&'a Dynamic, (usize, usize));
        impl Drop for Waiting<'_> {
            fn drop(&mut self) {
                wait_graph::remove(&mut self.0.waits.borrow_mut(), &self.1);
            }
        }
        self.waits.borrow_mut().push((asking, place));
        Waiting(self, (asking, place))
    }
}
