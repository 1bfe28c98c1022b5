//! Sync to async: waits for a future inside a context.
//!
//! A wait polls its future on the context's own stack and suspends that stack while the future is pending.
//! When the context was asked to end, a wait unwinds the stack instead, unless that would abort the process
//! (`landing_pads.rs`): then it is in a destructor of an unwinding in progress, and goes on waiting.

use std::cell::Cell;
use std::future::Future;
use std::panic::{self, Location};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Instant;

use crate::context::blocking_wait;
use crate::context::cancel::Cancelled;
use crate::context::current;
use crate::context::frame::{Frame, Request, WaitId};
use crate::context::landing_pads::may_unwind;
use crate::context::message;
use crate::context::message::Place;
use crate::context::missing::MissingContext;
use crate::context::settings::Limits;
use crate::context::stall::Stall;

/// How often contexts that have not cancel_seen a cancellation are woken without any effect.
const FRUITLESS_ROUNDS: u32 = 3;

/// Waits for `future`, suspending the coroutine context until it is ready.
///
/// Call it in synchronous code. In async code write `.await`: a `wait` there suspends everything that is
/// polled around it too, such as the other branches of a `join!`. Such a wait is reported after five seconds
/// and fails after sixty (`GREEN_LIGHT_STALL_TIMEOUT`).
///
/// # Panics
///
/// Outside of a context, with the text of [`MissingContext`]. [`try_wait`] returns it instead.
///
/// # Cancel safety
///
/// When the context is cancelled or dropped, `wait` unwinds without a panic message and drops `future`.
/// Code that catches the unwinding gets it again at its next `wait`.
///
/// # Examples
///
/// ```
/// use green_light_core::context::{run_sync, wait};
///
/// fn synchronous() -> i32 {
///     wait(async { 20 }) + wait(async { 22 })
/// }
///
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// assert_eq!(run_sync(synchronous).await, 42);
/// # });
/// # Ok::<(), std::io::Error>(())
/// ```
#[track_caller]
#[inline]
pub fn wait<F: Future>(future: F) -> F::Output {
    match current::frame() {
        Ok(frame) => drive(&frame, future, Place::Line(Location::caller())),
        Err(missing) => panic!("{missing}"),
    }
}

/// As [`wait`], but says so when there is no context.
///
/// # Errors
///
/// [`MissingContext`] outside of a context; `future` is dropped without having been polled.
///
/// # Examples
///
/// An async drop:
///
/// ```
/// use green_light_core::context::try_wait;
///
/// struct TempFile(std::path::PathBuf);
///
/// impl Drop for TempFile {
///     fn drop(&mut self) {
///         let path = std::mem::take(&mut self.0);
///         let removing = tokio::task::spawn_blocking(|| std::fs::remove_file(path));
///         let _ = try_wait(removing);
///     }
/// }
/// ```
#[track_caller]
#[inline]
pub fn try_wait<F: Future>(future: F) -> Result<F::Output, MissingContext> {
    let frame = current::frame()?;
    Ok(drive(&frame, future, Place::Line(Location::caller())))
}

/// Whether the caller runs in a context, so that [`wait`] works.
#[must_use]
pub fn is_active() -> bool {
    current::frame().is_ok()
}

/// As [`wait`], for the runner: reports have `name` instead of a line.
///
/// # Panics
///
/// As [`wait`].
#[track_caller]
pub fn wait_named<F: Future>(name: &str, future: F) -> F::Output {
    match current::frame() {
        Ok(frame) => drive(&frame, future, Place::Named(Rc::from(name))),
        Err(missing) => panic!("{missing}"),
    }
}

/// Calls the synchronous body of a test or fixture from the runner's async code.
///
/// The runner polls the body below its own `wait`, and nothing else beside it. So a `wait` of the body
/// suspends nothing that could matter, and is no reason for a report however long it takes.
pub fn synchronous<T>(body: impl FnOnce() -> T) -> T {
    struct Lowered(Rc<Frame>, usize);
    impl Drop for Lowered {
        fn drop(&mut self) {
            self.0.restore_nesting_floor(self.1);
        }
    }
    let _lowered = current::frame().ok().map(|frame| {
        let nesting_floor = frame.raise_nesting_floor();
        Lowered(frame, nesting_floor)
    });
    body()
}

#[track_caller]
fn drive<F: Future>(frame: &Rc<Frame>, future: F, place: Place) -> F::Output {
    let future = pin!(future);
    match frame.request() {
        Request::None => {
            if frame.give_up_at.get().is_some() {
                frame.forget_request();
            }
        }
        _ if may_unwind() => unwind(frame),
        Request::Cancelled => {}
        Request::Dropped => {
            let _active = frame.begin_wait(place);
            return blocking_wait::drive(frame, future);
        }
    }
    let active = frame.begin_wait(place);
    suspending(frame, future, active.id())
}

#[track_caller]
fn suspending<F: Future>(frame: &Rc<Frame>, mut future: Pin<&mut F>, id: WaitId) -> F::Output {
    let mut waker = frame.waker();
    let mut stall: Option<Stall> = None;
    let rounds = Cell::new(FRUITLESS_ROUNDS);
    loop {
        let resumed = frame.resumed.get();
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return output;
        }
        if frame.resumed.get() != resumed {
            // A wait inside that poll was suspended: a wake-up that was meant for something else in this
            // future resumed it, and would be lost, and the poller may be another one since.
            waker = frame.waker();
            continue;
        }
        match frame.request() {
            Request::None => {}
            Request::Cancelled => {
                frame.cancel_seen.set(true);
                if !defers_to_contexts_below(frame, id, &rounds) && may_unwind() {
                    unwind(frame);
                }
            }
            // A wait inside that poll unwound first, and its unwinding was caught on the way to here.
            Request::Dropped => return end_of_owner(frame, future),
        }
        if frame.is_nested() {
            stall.get_or_insert_with(Stall::begin).watch(&waker);
        }
        frame.remember_runtime();
        frame.switch.suspend();
        frame.resumed.set(frame.resumed.get() + 1);
        if frame.request() == Request::Dropped {
            return end_of_owner(frame, future);
        }
        if let Some(message) = stall.as_mut().and_then(|stall| stall.complaint(frame))
            && may_unwind()
        {
            panic!("{message}");
        }
        if !frame.has_waker(&waker) {
            waker = frame.waker();
        }
    }
}

/// The context is not polled any more: unwinds, or waits here where that is not possible.
#[cold]
fn end_of_owner<F: Future>(frame: &Frame, future: Pin<&mut F>) -> F::Output {
    if may_unwind() {
        unwind(frame);
    }
    blocking_wait::drive(frame, future)
}

/// Whether contexts that this wait polls are still to unwind: the innermost comes first, so that its
/// destructors may wait as usual.
///
/// A context that has cancel_seen the cancellation is waited for. One that has not is woken; if that has no
/// effect several times, it is not polled any more, and it will be unwound when it is dropped.
fn defers_to_contexts_below(frame: &Frame, id: WaitId, rounds: &Cell<u32>) -> bool {
    let Some(token) = frame.token() else {
        return false;
    };
    let below = token.contexts_under(id);
    let unaware: Vec<_> = below
        .iter()
        .filter(|context| !context.cancel_seen.get())
        .collect();
    if unaware.len() < below.len() {
        rounds.set(FRUITLESS_ROUNDS);
    }
    if unaware.is_empty() || rounds.get() == 0 {
        return unaware.len() < below.len();
    }
    rounds.set(rounds.get() - 1);
    for context in unaware {
        context.waker().wake_by_ref();
    }
    frame.waker().wake_by_ref();
    true
}

/// Starts the unwinding of this stack, without a panic message.
///
/// A closure that catches it and never ends is given up in the end.
#[cold]
fn unwind(frame: &Frame) -> ! {
    let now = Instant::now();
    match frame.give_up_at.get() {
        None => frame
            .give_up_at
            .set(Some(now + Limits::current().drop_timeout)),
        Some(give_up_at) if now >= give_up_at => frame.switch.abandon(),
        Some(_) => {}
    }
    panic::resume_unwind(Box::new(Cancelled))
}

impl Stall {
    /// Warns when it is time, or says why the wait fails.
    fn complaint(&mut self, frame: &Frame) -> Option<String> {
        let waited = self.due()?;
        let limits = Limits::current();
        let (inner, outer) = (frame.innermost_place()?, frame.enclosing_place()?);
        let fails = waited >= limits.stall_timeout;
        let fails_after = (!fails).then_some(limits.stall_timeout);
        let text = message::stalled(frame.name().as_deref(), &inner, &outer, waited, fails_after);
        if fails {
            return Some(text);
        }
        message::tell(&format!("warning: {text}"));
        None
    }
}
