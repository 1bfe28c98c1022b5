//! The context that runs on this thread now, and the token that contexts entered here will observe.
//!
//! Entering returns a guard that restores what was there before; it cannot leave this thread.

use std::cell::RefCell;
use std::rc::Rc;

use crate::context::frame::{CancelToken, Frame};
use crate::context::missing::{MissingContext, Reason};

thread_local! {
    static CURRENT: RefCell<Option<Rc<Frame>>> = const { RefCell::new(None) };
    /// The token outside of contexts; inside, each frame has its own.
    static TOKEN: RefCell<Option<CancelToken>> = const { RefCell::new(None) };
}

/// The context entered on this thread, whatever stack the caller runs on.
#[inline]
pub(crate) fn entered() -> Option<Rc<Frame>> {
    // During the destruction of thread-locals nothing is entered any more.
    CURRENT
        .try_with(|current| current.borrow().clone())
        .ok()
        .flatten()
}

/// The context that the caller runs in and may suspend.
#[inline]
pub(crate) fn frame() -> Result<Rc<Frame>, MissingContext> {
    match entered() {
        Some(frame) if frame.switch.on_stack() => Ok(frame),
        Some(_) => Err(MissingContext::new(Reason::OtherStack)),
        None => Err(MissingContext::explain()),
    }
}

/// The token that a context entered here observes.
#[inline]
pub(crate) fn token() -> Option<CancelToken> {
    match entered() {
        Some(frame) => frame.token(),
        None => TOKEN
            .try_with(|token| token.borrow().clone())
            .ok()
            .flatten(),
    }
}

/// Replaces that token.
pub(crate) fn set_token(token: Option<CancelToken>) -> Option<CancelToken> {
    match entered() {
        Some(frame) => frame.set_token(token),
        None => TOKEN.try_with(|root| root.replace(token)).ok().flatten(),
    }
}

/// Makes `frame` the current one until the guard is dropped.
#[inline]
pub(crate) fn enter(frame: &Rc<Frame>) -> Entered {
    let frame = Some(Rc::clone(frame));
    let before = CURRENT
        .try_with(|current| current.replace(frame))
        .ok()
        .flatten();
    Entered { before }
}

/// Restores the context that was current before.
pub(crate) struct Entered {
    before: Option<Rc<Frame>>,
}

impl Entered {
    /// The context in whose poll this one was entered.
    #[inline]
    pub(crate) fn around(&self) -> Option<&Rc<Frame>> {
        self.before.as_ref()
    }
}

impl Drop for Entered {
    #[inline]
    fn drop(&mut self) {
        let before = self.before.take();
        let left = CURRENT.try_with(|current| current.replace(before));
        drop(left);
    }
}
