//! Async to sync: runs synchronous code as a future.
//!
//! The closure runs on a stack of its own, on the thread that polls, inside the poll.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::mem;
use std::panic::{self, AssertUnwindSafe};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use crate::context::cancel::{Cancelled, is_cancelled_payload};
use crate::context::coroutine::Coroutine;
use crate::context::current::Entered;
use crate::context::frame::Frame;
use crate::context::settings::Limits;
use crate::context::switch::Step;
use crate::context::thread_stack::OnThread;
use crate::context::{current, message, stack};

/// Runs `f` on a stack of its own, where it may [`wait`](super::wait()) for futures.
///
/// The closure runs on the thread that polls the future, while it is polled: thread-locals, the tokio
/// context, the thread's name and libtest's output capture are those of the poller. When the closure
/// waits, the future is pending. The first poll starts it.
///
/// The future is not `Send`, because a stack with anything on it must not change threads:
///
/// ```compile_fail,E0277
/// fn assert_send<T: Send>(_: T) {}
/// assert_send(green_light_core::context::run_sync(|| ()));
/// ```
///
/// The closure is `'static`, as that of [`std::thread::spawn`]: when the future is leaked, what is on
/// its stack is never dropped, not even the end of a [`std::thread::scope`]. Share by `Rc` or `Arc`.
///
/// ```compile_fail,E0597
/// let local = String::new();
/// let future = green_light_core::context::run_sync(|| local.len());
/// ```
///
/// # Panics
///
/// A panic of the closure goes on in the poller, with its payload. Polling panics in a coroutine of may, when
/// no stack can be had, and after the future was ready.
///
/// # Cancel safety
///
/// Dropping the future while the closure waits unwinds its stack on this thread, before the drop returns: no
/// panic message is printed, values are dropped as in a panic. A `wait` in one of their destructors blocks
/// the thread until its future is ready; after five seconds in all (`GREEN_LIGHT_DROP_TIMEOUT`) the
/// stack is abandoned, which is reported on standard error.
///
/// # Examples
///
/// ```
/// use green_light_core::context::{run_sync, wait};
///
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// let sum = run_sync(|| (1..=3).map(|n| wait(async move { n })).sum::<i32>()).await;
/// assert_eq!(sum, 6);
/// # });
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn run_sync<F, T>(f: F) -> RunSync<F, T>
where
    F: FnOnce() -> T + 'static,
{
    RunSync::with(f, begin)
}

/// As [`run_sync`], on the stack of this thread if [`beside_thread_stack`](crate::context::thread_stack::beside_thread_stack) keeps it free.
///
/// Otherwise, and while another context has it, the closure gets a stack of its own. The future has to be polled
/// and dropped where it was polled first: by the executor itself, not in another context.
///
/// # Cancel safety
///
/// As [`run_sync`]. One that does not unwind in time is given up as there, and its thread is
/// stranded when the executor has ended.
pub fn on_thread_stack<F, T>(f: F) -> RunSync<F, T>
where
    F: FnOnce() -> T + 'static,
    T: 'static,
{
    RunSync::with(f, |f, waker| match OnThread::take() {
        Some(mut taken) => {
            let frame = Rc::clone(taken.frame());
            frame.begin(current::token(), waker);
            let entered = entered(&frame);
            let step = taken.start(f);
            drop(entered);
            (Strand::Thread(taken), step)
        }
        None => begin(f, waker),
    })
}

/// The future of [`run_sync`].
#[must_use = "futures do nothing unless polled"]
pub struct RunSync<F, T> {
    state: State<F, T>,
    /// Neither `Send` nor `Sync`, started or not.
    thread: PhantomData<*mut ()>,
}

enum State<F, T> {
    New(F, Begin<F, T>),
    Started(Strand<T>),
    /// Unwound by its token; the context around it is going to be, and says so to the poller.
    Unwound,
    Ended,
}

impl<F, T> RunSync<F, T> {
    fn with(f: F, begin: Begin<F, T>) -> Self {
        Self {
            state: State::New(f, begin),
            thread: PhantomData,
        }
    }
}

/// Starts a closure.
type Begin<F, T> = fn(F, &Waker) -> (Strand<T>, Step<T>);

/// A closure that was started.
enum Strand<T> {
    /// On a stack of its own.
    Own(Coroutine<T>),
    /// On the stack of its thread.
    Thread(OnThread<T>),
}

impl<T> Strand<T> {
    #[inline]
    fn frame(&self) -> &Rc<Frame> {
        match self {
            Self::Own(coroutine) => coroutine.frame(),
            Self::Thread(taken) => taken.frame(),
        }
    }

    #[inline]
    fn resume(&mut self) -> Step<T> {
        match self {
            Self::Own(coroutine) => coroutine.resume(),
            Self::Thread(taken) => taken.resume(),
        }
    }

    fn can_be_resumed(&self) -> bool {
        match self {
            Self::Own(coroutine) => coroutine.frame().switch.is_suspended(),
            Self::Thread(taken) => taken.can_be_resumed(),
        }
    }
}

// The closure is moved to its stack by the first poll, and nothing points into the future.
impl<F, T> Unpin for RunSync<F, T> {}

impl<F, T> Future for RunSync<F, T>
where
    F: FnOnce() -> T + 'static,
{
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        if let State::Started(strand) = &mut self.state {
            let step = resume(strand, cx.waker());
            if let Step::Suspended = step {
                return Poll::Pending;
            }
            return self.came_back(step);
        }
        match mem::replace(&mut self.state, State::Ended) {
            State::New(f, begin) => {
                // A coroutine of may goes on on another thread after it has blocked, with our stack below it.
                // What was started elsewhere cannot come here later: it stays on its thread, and only may runs
                // code on the threads of may.
                #[cfg(feature = "crowd")]
                assert!(!may::coroutine::is_coroutine(), "{}", message::inside_may());
                let (strand, step) = begin(f, cx.waker());
                self.state = State::Started(strand);
                self.came_back(step)
            }
            State::Unwound => self.be_silent(),
            State::Started(_) | State::Ended => panic!("`run_sync` was polled after it was ready"),
        }
    }
}

impl<F, T> RunSync<F, T> {
    /// What a step means for the poller.
    fn came_back(&mut self, step: Step<T>) -> Poll<T> {
        if let Step::Suspended = step {
            return Poll::Pending;
        }
        let State::Started(strand) = mem::replace(&mut self.state, State::Ended) else {
            unreachable!("a step is made by a coroutine that was started");
        };
        match step {
            Step::Suspended => unreachable!("it was not a moment ago"),
            Step::Finished(Ok(output)) => {
                recycle(strand);
                Poll::Ready(output)
            }
            Step::Finished(Err(payload)) => {
                recycle(strand);
                if is_cancelled_payload(&*payload) && around_is_cancelled() {
                    return self.be_silent();
                }
                panic::resume_unwind(payload)
            }
            Step::Abandoned => {
                abandon(&strand);
                if around_is_cancelled() {
                    return self.be_silent();
                }
                panic::resume_unwind(Box::new(Cancelled))
            }
        }
    }

    /// Leaves the unwinding of the poller to the wait that polls: other contexts that it polls are to unwind
    /// first, and would be dropped by a panic from here.
    fn be_silent(&mut self) -> Poll<T> {
        self.state = State::Unwound;
        Poll::Pending
    }
}

/// Whether this context is polled by a wait of another one that observes the same cancellation.
fn around_is_cancelled() -> bool {
    current::entered().is_some_and(|around| around.innermost_is_cancelled())
}

impl<F, T> Drop for RunSync<F, T> {
    fn drop(&mut self) {
        if let State::Started(mut strand) = mem::replace(&mut self.state, State::Ended) {
            if !strand.can_be_resumed() {
                abandon(&strand);
                return;
            }
            let frame = strand.frame();
            frame.request_drop();
            frame
                .give_up_at
                .set(Some(Instant::now() + Limits::current().drop_timeout));
            let step = {
                let _entered = current::enter(frame);
                strand.resume()
            };
            match step {
                Step::Finished(result) => {
                    recycle(strand);
                    if let Err(payload) = result {
                        // It has no one to go to, and may itself panic when it is dropped.
                        drop(panic::catch_unwind(AssertUnwindSafe(|| drop(payload))));
                    }
                }
                Step::Suspended | Step::Abandoned => abandon(&strand),
            }
        }
    }
}

impl<F, T> fmt::Debug for RunSync<F, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match self.state {
            State::New(..) => "new",
            State::Started(_) => "started",
            State::Unwound => "unwound",
            State::Ended => "ended",
        };
        f.debug_struct("RunSync")
            .field("state", &state)
            .finish_non_exhaustive()
    }
}

/// Starts a closure on a stack of its own.
fn begin<F, T>(f: F, waker: &Waker) -> (Strand<T>, Step<T>)
where
    F: FnOnce() -> T + 'static,
{
    let mut coroutine = Coroutine::new(stack::take());
    let frame = Rc::clone(coroutine.frame());
    frame.begin(current::token(), waker);
    let entered = entered(&frame);
    let step = coroutine.start(f);
    drop(entered);
    (Strand::Own(coroutine), step)
}

#[inline]
fn resume<T>(strand: &mut Strand<T>, waker: &Waker) -> Step<T> {
    strand.frame().set_waker(waker);
    let entered = entered(strand.frame());
    let step = strand.resume();
    drop(entered);
    step
}

/// Makes a context the current one, below the wait that polls it.
#[inline]
fn entered(frame: &Rc<Frame>) -> Entered {
    let entered = current::enter(frame);
    if let Some(around) = entered.around() {
        frame.parent_wait.set(around.innermost());
    }
    entered
}

/// Keeps the stack of an ended closure for the next context.
fn recycle<T>(strand: Strand<T>) {
    strand.frame().end();
    match strand {
        Strand::Own(coroutine) => {
            if let Some(stack) = coroutine.into_stack() {
                stack::keep(stack);
            }
        }
        Strand::Thread(taken) => taken.give_back(),
    }
}

/// Reports a stack that is given up: leaked, or for a thread's own, never left again.
#[cold]
fn abandon<T>(strand: &Strand<T>) {
    let frame = strand.frame();
    let (name, place) = (frame.name(), frame.innermost_place());
    let limit = Limits::current().drop_timeout;
    message::tell(&message::abandoned(name.as_deref(), place.as_ref(), limit));
    frame.end();
}
