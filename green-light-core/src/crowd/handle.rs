//! A crowd: starts members, and joins them.

#![expect(
    unsafe_code,
    reason = "may calls spawning unsafe, because of thread-locals"
)]

use std::fmt;
use std::panic::{self, AssertUnwindSafe, Location};
use std::sync::Arc;
use std::time::{Duration, Instant};

use may::coroutine::{Builder, JoinHandle};
use tokio::sync::watch;
use tokio::time::timeout;

use crate::context::overflow::abort_after_member_overflow;
use crate::crowd::failure::CrowdFailure;
use crate::crowd::member::Member;
use crate::crowd::workers;
use crate::mutex::Mutex;
use crate::runtime::shared::handle;

use crate::crowd::member::{Cancelled, End, State, enter_runtime};
use crate::report::failure::Failure;
use crate::report::panics::failure_of;
use crate::tasks::Spawner;

/// Bytes of stack of a member. Its futures run on the runtime and need none of it.
const STACK_SIZE: usize = 256 << 10;

/// How long cancelled members may take to unwind.
const GRACE: Duration = Duration::from_secs(2);

/// How often a join looks after members whose stack has overflowed.
const TICK: Duration = Duration::from_millis(100);

/// Synchronous clients that run in parallel.
///
/// # Examples
///
/// ```
/// use std::sync::Arc;
/// use std::sync::atomic::{AtomicU32, Ordering};
/// use std::time::{Duration, Instant};
/// use green_light_core::{Crowd, runtime};
///
/// let stock = Arc::new(AtomicU32::new(1));
/// let sold = Arc::new(AtomicU32::new(0));
/// let crowd = Crowd::new();
/// for _ in 0..100 {
///     let (stock, sold) = (Arc::clone(&stock), Arc::clone(&sold));
///     crowd.spawn(move |member| {
///         member.wait(tokio::task::yield_now());
///         if stock.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| n.checked_sub(1)).is_ok() {
///             sold.fetch_add(1, Ordering::Relaxed);
///         }
///     });
/// }
/// runtime::block_on(crowd.join(Duration::from_secs(10)))??;
/// assert_eq!(sold.load(Ordering::Relaxed), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Clones are the same crowd. The last one that is dropped cancels the members that were not joined.
#[derive(Clone, Debug)]
pub struct Crowd {
    inner: Arc<Inner>,
    /// What clones share and members, who keep `inner`, do not.
    _owner: Arc<CancelOnDrop>,
}

struct CancelOnDrop(Arc<Inner>);

struct Inner {
    members: Mutex<Vec<Entry>>,
    /// How many members have not ended.
    running: watch::Sender<usize>,
    cancelled: watch::Sender<bool>,
    /// For tasks of members: they end with what has made the crowd, which joins the members first.
    spawner: Option<Spawner>,
}

struct Entry {
    state: Arc<State>,
    handle: Option<JoinHandle<()>>,
}

impl Crowd {
    /// A crowd without members.
    #[must_use]
    pub fn new() -> Self {
        let inner = Inner {
            members: Mutex::default(),
            running: watch::Sender::new(0),
            cancelled: watch::Sender::new(false),
            spawner: Spawner::here(),
        };
        let inner = Arc::new(inner);
        Self {
            _owner: Arc::new(CancelOnDrop(Arc::clone(&inner))),
            inner,
        }
    }

    /// Starts a member.
    ///
    /// A member is a coroutine with a small stack (256 KiB), whose overflow ends the process. What blocks it other than [`Member::wait`], such as
    /// `std::thread::sleep`, blocks one of the few worker threads.
    ///
    /// A member goes on on another thread after it has waited. Do not keep a reference to a thread-local, or
    /// anything tied to a thread, such as a `MutexGuard` or the guard of a tracing span, across a wait; the
    /// compiler cannot see it.
    ///
    /// # Panics
    ///
    /// When the system has no threads left for may or for the shared runtime.
    #[track_caller]
    pub fn spawn<F>(&self, f: F)
    where
        F: FnOnce(Member) + Send + 'static,
    {
        if let Err(error) = workers::start() {
            panic!("the workers of the crowd could not be started: {error}");
        }
        let handle = match handle() {
            Ok(handle) => handle,
            Err(error) => panic!("{error}"),
        };
        let state = {
            let mut members = self.inner.members.lock();
            let state = Arc::new(State::new(members.len(), Location::caller()));
            members.push(Entry {
                state: Arc::clone(&state),
                handle: None,
            });
            state
        };
        self.inner.running.send_modify(|running| *running += 1);
        let member = Member::new(Arc::clone(&state), self.inner.cancelled.subscribe());
        let inner = Arc::clone(&self.inner);
        let ended = Arc::clone(&state);
        let spawner = self.inner.spawner.clone();
        spawner.iter().for_each(Spawner::prepare);
        let body = move || {
            enter_runtime(handle);
            spawner
                .into_iter()
                .for_each(Spawner::become_that_of_the_member);
            let end = match panic::catch_unwind(AssertUnwindSafe(|| f(member))) {
                Ok(()) => End::Done,
                Err(payload) if payload.is::<Cancelled>() => End::Cancelled,
                Err(payload) => {
                    let failure = ended.failure(failure_of(&*payload));
                    // A payload may panic when it is dropped.
                    drop(panic::catch_unwind(AssertUnwindSafe(|| drop(payload))));
                    End::Failed(failure)
                }
            };
            ended.end(end);
            inner.running.send_modify(|running| *running -= 1);
        };
        let name = format!("crowd member {}", state.index);
        let builder = Builder::new()
            .name(name)
            .stack_size(STACK_SIZE / size_of::<usize>());
        // SAFETY: may asks two things of its caller. The stack has a guard page, and an overflow ends the process.
        // Thread-locals: `body` and what it
        // calls here keep no reference to one across a point where the coroutine may change threads (`wait`);
        // the documentation of this function asks the same of `f`, which the type system cannot.
        let spawned = unsafe { builder.spawn(body) };
        match spawned {
            Ok(handle) => {
                let mut members = self.inner.members.lock();
                let entry = members
                    .iter_mut()
                    .rfind(|entry| Arc::ptr_eq(&entry.state, &state));
                if let Some(entry) = entry {
                    entry.handle = Some(handle);
                }
            }
            Err(error) => {
                state.end(End::Failed(Failure::new(format!(
                    "it could not be started: {error}"
                ))));
                self.inner.running.send_modify(|running| *running -= 1);
            }
        }
    }

    /// Waits until every member has ended, and cancels those that are left at the deadline.
    ///
    /// A cancelled member unwinds at its [`Member::wait`]; one that is not there is beyond reach, as any
    /// blocking code is, and is named in the error. Members that were joined are forgotten.
    ///
    /// # Errors
    ///
    /// When a member has panicked, or was not done at the deadline.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: members go on when the future is dropped, and can be joined again.
    pub async fn join(&self, deadline: Duration) -> Result<(), CrowdFailure> {
        if !self.inner.ended_within(deadline).await {
            self.inner.cancelled.send_replace(true);
            self.inner.ended_within(GRACE).await;
        }
        let (ended, left): (Vec<_>, Vec<_>) = {
            let mut members = self.inner.members.lock();
            members.drain(..).partition(|entry| entry.state.has_ended())
        };
        if left.is_empty() {
            self.inner.cancelled.send_replace(false);
        }
        let states = ended.iter().chain(&left).map(|entry| &*entry.state);
        let failure = CrowdFailure::of(states, deadline);
        self.inner.members.lock().extend(left);
        failure.map_or(Ok(()), Err)
    }
}

impl Default for Crowd {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for CancelOnDrop {
    /// Cancels the members that were not joined.
    fn drop(&mut self) {
        self.0.cancelled.send_replace(true);
    }
}

impl fmt::Debug for CancelOnDrop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CancelOnDrop")
    }
}

impl Inner {
    /// Waits until no member runs any more. `false` if the limit came first.
    async fn ended_within(&self, limit: Duration) -> bool {
        let mut running = self.running.subscribe();
        let deadline = Instant::now() + limit;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let ended = running.wait_for(|running| *running == 0);
            if timeout(left.min(TICK), ended).await.is_ok() {
                return true;
            }
            self.abort_after_an_overflow();
            if left.is_zero() {
                return false;
            }
        }
    }

    /// A member whose stack has overflowed is gone without a word, and what it was doing is not undone.
    ///
    /// may ends the process itself where it sees that a stack was used up to its last word, which depends on
    /// what the last frame wrote.
    fn abort_after_an_overflow(&self) {
        for entry in &mut *self.members.lock() {
            let gone = entry.handle.as_ref().is_some_and(JoinHandle::is_done);
            if !gone || entry.state.has_ended() {
                continue;
            }
            let reason = entry.handle.take().map(JoinHandle::join);
            if let Some(Err(reason)) = reason
                && reason.downcast_ref() == Some(&generator::Error::StackErr)
            {
                abort_after_member_overflow(entry.state.index, STACK_SIZE);
            }
        }
    }
}

impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let running = *self.running.borrow();
        f.debug_struct("Members")
            .field("running", &running)
            .finish_non_exhaustive()
    }
}
