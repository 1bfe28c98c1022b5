//! What drives a test: the shared runtime or one of its own, with a `LocalSet` or without, with a
//! clock that goes on or one that is paused.
//!
//! A paused clock stands still from the first set-up of the test's own to the last teardown of its
//! own. While a shared fixture works on its thread the clock goes on: a runtime with nothing to do
//! would jump to its next timer, which may be the deadline of the test.

use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::Context;

use tokio::task::LocalSet;
use tokio::time;

use super::case::TestMeta;
use super::options::Drive;
use super::phases::TestRun;
use crate::context;
use crate::fixture::Step;
use crate::report::PlanError;
use crate::runtime::{self, RuntimeError};

/// Runs `test` to its end.
pub(crate) fn drive<T>(meta: &TestMeta, test: impl Future<Output = T>) -> Result<T, RuntimeError> {
    // A `LocalSet` stands outside of the context, so that a `wait` does not stop its tasks.
    if meta.options.local {
        return drive_on(meta.options.drive, beside_local_tasks(test));
    }
    drive_on(meta.options.drive, test)
}

/// As [`LocalSet::run_until`], but its tasks run on the stack of this thread, as the test does: above it, while it
/// waits. On the executor's coroutine, code that measures its stack would be misled.
async fn beside_local_tasks<T>(test: impl Future<Output = T>) -> T {
    let set = Rc::new(RefCell::new(LocalSet::new()));
    let mut test = pin!(test);
    poll_fn(|cx| {
        let polled = {
            let _entered = set.borrow().enter();
            test.as_mut().poll(cx)
        };
        if polled.is_pending() {
            let (set, waker) = (Rc::clone(&set), cx.waker().clone());
            context::call_on_thread_stack(move || {
                let mut set = set.borrow_mut();
                // It wakes this task whenever one of its own can go on.
                let _ = Pin::new(&mut *set).poll(&mut Context::from_waker(&waker));
            });
        }
        polled
    })
    .await
}

fn drive_on<T>(drive: Drive, test: impl Future<Output = T>) -> Result<T, RuntimeError> {
    match drive {
        Drive::Shared => runtime::block_on(test),
        Drive::CurrentThread | Drive::Paused => runtime::block_on_private(test),
    }
}

/// The clock of a test's own runtime.
#[derive(Debug, Default)]
pub(crate) struct Pause(Cell<bool>);

impl Pause {
    fn set(&self, paused: bool) {
        if self.0.replace(paused) != paused {
            if paused {
                time::pause();
            } else {
                time::resume();
            }
        }
    }
}

impl TestRun {
    /// Stops the clock before the test's own code, if it is to stand still, and lets it go on before
    /// that of shared fixtures.
    pub(crate) fn pause_clock(&self, paused: bool) {
        if self.meta.options.drive == Drive::Paused {
            self.pause.set(paused);
        }
    }

    /// A shared asynchronous fixture does real I/O, under whose timeouts a paused clock would jump.
    pub(crate) fn refuse_while_paused(&self, step: &Step) -> Result<(), PlanError> {
        let definition = step.definition;
        let works = definition.scope.is_wide() && definition.is_async && step.given.is_none();
        if works && self.meta.options.drive == Drive::Paused {
            return Err(PlanError::Paused { definition });
        }
        Ok(())
    }
}
