//! Ends every context below a point, by unwinding their stacks while their owner goes on polling.
//!
//! A token belongs to one thread, as contexts do.

use std::any::Any;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::rc::Rc;

use crate::context::current;
use crate::context::frame::CancelToken;

impl CancelToken {
    /// Makes a token; the one in force here, if any, becomes its parent.
    #[must_use]
    pub fn new() -> Self {
        Self::make(None)
    }

    /// Makes a token that lends its name, such as a test's path, to reports about its contexts.
    #[must_use]
    pub fn named(name: &str) -> Self {
        Self::make(Some(Rc::from(name)))
    }

    fn make(name: Option<Rc<str>>) -> Self {
        Self::below(current::token(), name)
    }

    /// Polls `future` so that contexts entered below it observe this token.
    ///
    /// # Cancel safety
    ///
    /// As cancel safe as `future`.
    pub async fn scope<F: Future>(&self, future: F) -> F::Output {
        let mut future = pin!(future);
        poll_fn(|cx| {
            let _scoped = Scoped {
                before: current::set_token(Some(self.clone())),
            };
            future.as_mut().poll(cx)
        })
        .await
    }
}

impl Default for CancelToken {
    fn default() -> Self {
        Self::new()
    }
}

/// Restores the token that was in force before one poll.
struct Scoped {
    before: Option<CancelToken>,
}

impl Drop for Scoped {
    fn drop(&mut self) {
        let ours = current::set_token(self.before.take());
        drop(ours);
    }
}

/// What unwinds a cancelled context.
pub(crate) struct Cancelled;

/// Whether a panic's payload is the unwinding of a cancelled context, and no panic of the user's.
#[must_use]
pub fn is_cancelled_payload(payload: &(dyn Any + Send)) -> bool {
    // `&payload` of a `Box<dyn Any + Send>` is a `&dyn Any` of the box itself.
    match payload.downcast_ref::<Box<dyn Any + Send>>() {
        Some(boxed) => boxed.is::<Cancelled>(),
        None => payload.is::<Cancelled>(),
    }
}

#[cfg(test)]
mod tests {
    use std::task::{Context, Waker};

    use super::*;
    use crate::context::run_sync::run_sync;
    use crate::context::wait::wait;

    #[test]
    fn contexts_are_listed_while_they_live() {
        let token = CancelToken::new();
        let mut futures: Vec<_> = (0..5)
            .map(|_| Box::pin(token.scope(run_sync(|| wait(std::future::pending::<()>())))))
            .collect();
        for future in &mut futures {
            let mut context = Context::from_waker(Waker::noop());
            assert!(future.as_mut().poll(&mut context).is_pending());
        }
        assert_eq!(token.listed(), 5);
        drop(futures.swap_remove(1));
        drop(futures.swap_remove(0));
        assert_eq!(token.listed(), 3);
        drop(futures);
        assert_eq!(token.listed(), 0);
    }

    #[test]
    fn a_payload_is_known_boxed_and_unboxed() {
        let ours: Box<dyn Any + Send> = Box::new(Cancelled);
        assert!(is_cancelled_payload(&*ours));
        assert!(is_cancelled_payload(&ours));
        let other: Box<dyn Any + Send> = Box::new("a panic");
        assert!(!is_cancelled_payload(&*other));
        assert!(!is_cancelled_payload(&other));
    }

    #[test]
    fn a_token_made_below_another_is_cancelled_with_it() {
        let outer = CancelToken::named("outer");
        let scope = outer.scope(async { (CancelToken::new(), CancelToken::named("inner")) });
        let mut scope = pin!(scope);
        let made = scope.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        let std::task::Poll::Ready((nameless, inner)) = made else {
            panic!("nothing to wait for")
        };
        assert_eq!(nameless.name().as_deref(), Some("outer"));
        assert_eq!(inner.name().as_deref(), Some("inner"));
        inner.cancel();
        assert!(!outer.is_cancelled() && !nameless.is_cancelled() && inner.is_cancelled());
        outer.cancel();
        assert!(nameless.is_cancelled());
    }
}
