//! Panics caught, and turned into failures.

use std::any::Any;
use std::borrow::Cow;
use std::future::Future;
use std::hint::black_box;
use std::panic::{self, AssertUnwindSafe};
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use crate::context::cancel::is_cancelled_payload;
use crate::report::failure::{Failure, is_raised};
use crate::report::hook::LastPanic;
use crate::report::redact::text::redacted;

/// The failure behind the payload of a panic that was just caught on this thread.
pub(crate) fn failure_of(payload: &(dyn Any + Send)) -> Failure {
    let last = LastPanic::take();
    if is_raised(payload) {
        return Failure::from_panic(payload, None);
    }
    Failure {
        panic_place: last.surroundings.map(Box::new),
        ..Failure::from_panic(payload, last.place)
    }
}

/// The payload of a panic, without passwords: libtest prints it when another message was expected.
pub(crate) fn without_passwords(payload: Box<dyn Any + Send>) -> Box<dyn Any + Send> {
    let text = payload
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| payload.downcast_ref::<&str>().copied());
    match text.map(redacted) {
        Some(Cow::Owned(shown)) => Box::new(shown),
        _ => payload,
    }
}

/// Runs `future`; a panic in it becomes an error.
///
/// The unwinding of a cancelled context is not a panic of the user's and goes on.
pub(crate) async fn caught<F: Future>(future: F) -> Result<F::Output, Failure> {
    match caught_payload(future).await {
        Ok(output) => Ok(output),
        Err(payload) => Err(failure_of_dropped(payload)),
    }
}

fn failure_of_dropped(payload: Box<dyn Any + Send>) -> Failure {
    let failure = failure_of(&*payload);
    // A payload may panic when it is dropped; that must not take the runner down.
    let _ = panic::catch_unwind(AssertUnwindSafe(|| drop(payload)));
    failure
}

/// Drops `value`; a panic in that becomes an error, as in [`caught`].
pub(crate) fn caught_drop<T>(value: T) -> Result<(), Failure> {
    let drop = || __rust_begin_short_backtrace(|| drop(value));
    match panic::catch_unwind(AssertUnwindSafe(drop)) {
        Ok(()) => Ok(()),
        Err(payload) if is_cancelled_payload(&*payload) => panic::resume_unwind(payload),
        Err(payload) => Err(failure_of_dropped(payload)),
    }
}

/// Runs `future` and returns the payload of its panic.
///
/// The unwinding of a cancelled context goes on, as in [`caught`].
pub(crate) async fn caught_payload<F: Future>(future: F) -> Result<F::Output, Box<dyn Any + Send>> {
    let future = pin!(future);
    let result = CatchAll { future }.await;
    match result {
        Err(payload) if is_cancelled_payload(&*payload) => panic::resume_unwind(payload),
        result => result,
    }
}

/// A frame of this name is where the standard library ends a short backtrace: below it are some forty
/// frames of green-light's and tokio's, which do not help the reader.
#[inline(never)]
fn __rust_begin_short_backtrace<T>(f: impl FnOnce() -> T) -> T {
    let result = f();
    // Without something left to do, the call of `f` could become a jump and this frame vanish.
    black_box(());
    result
}

/// Polls a future and catches whatever it throws.
pub(crate) struct CatchAll<'a, F> {
    pub(crate) future: Pin<&'a mut F>,
}

impl<F: Future> Future for CatchAll<'_, F> {
    type Output = Result<F::Output, Box<dyn Any + Send>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let poll = || __rust_begin_short_backtrace(|| self.future.as_mut().poll(cx));
        match panic::catch_unwind(AssertUnwindSafe(poll)) {
            Ok(polled) => polled.map(Ok),
            Err(payload) => Poll::Ready(Err(payload)),
        }
    }
}
