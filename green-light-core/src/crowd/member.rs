//! One synchronous client of a crowd, and how it waits.

use std::any::Any;
use std::cell::Cell;
use std::fmt;
use std::future::{Future, poll_fn};
use std::mem;
use std::panic::{self, AssertUnwindSafe, Location};
use std::pin::pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Condvar, PoisonError};
use std::thread;

use may::sync::SyncFlag;
use tokio::runtime::Handle;
use tokio::sync::watch;

use crate::mutex::Mutex;
use crate::report::failure::Failure;
use crate::report::panics::failure_of;
use crate::runtime::shared::handle;
use crate::tasks::Spawner;

/// How often a cancelled member may catch its unwinding: more often than any sensible retry loop.
const PATIENCE: u32 = 10_000;

/// A member of a crowd: what `spawn` lends to its closure.
pub struct Member {
    state: Arc<State>,
    cancelled: watch::Receiver<bool>,
}

/// What the crowd keeps of a member.
pub(crate) struct State {
    pub(crate) index: usize,
    pub(crate) spawned_at: &'static Location<'static>,
    end: Mutex<Option<End>>,
    /// How often the member was asked to unwind.
    unwind_requests: AtomicU32,
    /// The panic of a future that the member waited for, which has its place on another thread.
    raised: Mutex<Option<Failure>>,
}

pub(crate) enum End {
    Done,
    Failed(Failure),
    Cancelled,
}

/// What unwinds a cancelled member.
pub(crate) struct Cancelled;

impl State {
    pub(crate) fn new(index: usize, spawned_at: &'static Location<'static>) -> Self {
        Self {
            index,
            spawned_at,
            end: Mutex::default(),
            unwind_requests: AtomicU32::new(0),
            raised: Mutex::default(),
        }
    }

    pub(crate) fn end(&self, end: End) {
        *self.end.lock() = Some(end);
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.end.lock().is_some()
    }

    pub(crate) fn read<T>(&self, f: impl FnOnce(Option<&End>) -> T) -> T {
        f(self.end.lock().as_ref())
    }

    /// Of the failure as it was caught and the one that was noted where it was raised, the one that knows more.
    pub(crate) fn failure(&self, caught: Failure) -> Failure {
        let raised = self.raised.lock().take();
        raised
            .filter(|raised| raised.message == caught.message)
            .unwrap_or(caught)
    }
}

impl Member {
    pub(crate) fn new(state: Arc<State>, cancelled: watch::Receiver<bool>) -> Self {
        Self { state, cancelled }
    }

    /// The number of this member, from 0 in the order of `spawn`.
    #[must_use]
    pub fn index(&self) -> usize {
        self.state.index
    }

    /// Waits for `future`, which runs on the shared runtime, while other members run.
    ///
    /// In a destructor that runs because of a panic, it blocks the worker thread instead: a coroutine must
    /// not change threads while it unwinds.
    ///
    /// # Panics
    ///
    /// When `future` panics, with its payload, or when the shared runtime cannot be made.
    ///
    /// # Cancel safety
    ///
    /// At the deadline of the crowd, `future` is dropped and the member unwinds, without a panic message.
    #[track_caller]
    pub fn wait<F>(&self, future: F) -> F::Output
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let handle = match handle() {
            Ok(handle) => handle,
            Err(error) => panic!("{error}"),
        };
        // As in a context: an unwinding must not leave a destructor that runs because of another one.
        let calm = !thread::panicking();
        let reply = Arc::new(Reply::default());
        let answer = Answer(Arc::clone(&reply));
        let mut cancelled = self.cancelled.clone();
        let spawner = Spawner::here();
        handle.spawn(async move {
            let future = pin!(caught(Spawner::spawning(spawner, future)));
            let result = if calm {
                tokio::select! {
                    biased;
                    result = future => Some(result),
                    _ = cancelled.wait_for(|cancelled| *cancelled) => None,
                }
            } else {
                Some(future.await)
            };
            if let Some(result) = result {
                answer.give(result);
            }
        });
        let result = reply.take(calm);
        enter_runtime(handle);
        match result {
            Some(Ok(output)) => output,
            Some(Err((payload, failure))) => {
                *self.state.raised.lock() = Some(failure);
                panic::resume_unwind(payload)
            }
            None => self.unwind(),
        }
    }
}

impl Member {
    /// Starts the unwinding of a cancelled member. One that catches it again and again is parked for good.
    fn unwind(&self) -> ! {
        if self.state.unwind_requests.fetch_add(1, Ordering::Relaxed) >= PATIENCE {
            SyncFlag::new().wait();
        }
        panic::resume_unwind(Box::new(Cancelled))
    }
}

impl fmt::Debug for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Member")
            .field("index", &self.index())
            .finish_non_exhaustive()
    }
}

/// Puts this thread into the runtime for good, so that members can make timers and sockets, and spawn.
///
/// A guard of its own in each member would be left on another thread than it was entered on.
pub(crate) fn enter_runtime(handle: &'static Handle) {
    thread_local! {
        static ENTERED: Cell<bool> = const { Cell::new(false) };
    }
    if !ENTERED.replace(true) {
        mem::forget(handle.enter());
    }
}

type Caught<T> = Result<T, (Box<dyn Any + Send>, Failure)>;

/// Runs `future`; a panic in it becomes an error, with its place.
async fn caught<F: Future>(future: F) -> Caught<F::Output> {
    let mut future = pin!(future);
    let caught = poll_fn(|cx| {
        let polled = panic::catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx)));
        match polled {
            Ok(polled) => polled.map(Ok),
            Err(payload) => {
                let failure = failure_of(&*payload);
                std::task::Poll::Ready(Err((payload, failure)))
            }
        }
    });
    caught.await
}

/// Where the runtime leaves a result for a member.
struct Reply<T> {
    state: Mutex<(bool, Option<Caught<T>>)>,
    /// For a member that parks.
    fired: SyncFlag,
    /// For a member that blocks its thread.
    changed: Condvar,
}

impl<T> Default for Reply<T> {
    fn default() -> Self {
        Self {
            state: Mutex::new((false, None)),
            fired: SyncFlag::new(),
            changed: Condvar::new(),
        }
    }
}

impl<T> Reply<T> {
    /// Waits for the result; `None` when there will be none.
    fn take(&self, park: bool) -> Option<Caught<T>> {
        if park {
            self.fired.wait();
        }
        let mut state = self.state.lock();
        while !state.0 {
            state = self
                .changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
        state.1.take()
    }
}

/// The runtime's end of a [`Reply`]; dropping it is an answer too.
struct Answer<T>(Arc<Reply<T>>);

impl<T> Answer<T> {
    fn give(&self, result: Caught<T>) {
        self.0.state.lock().1 = Some(result);
    }
}

impl<T> Drop for Answer<T> {
    fn drop(&mut self) {
        self.0.state.lock().0 = true;
        self.0.changed.notify_one();
        self.0.fired.fire();
    }
}
