//! The end of the process after a stack overflow, which nothing may survive.

use std::process;

use crate::context::frame::Frame;
use crate::context::message;

/// Ends the process after the stack of a crowd's member has overflowed.
#[cfg(feature = "crowd")]
pub(crate) fn abort_after_member_overflow(index: usize, size: usize) -> ! {
    message::tell(&message::member_overflow(index, size));
    process::abort()
}

/// `generator` reports an overflow by a panic out of `resume`, the only one there is: the stack below still
/// holds whatever the closure was doing, so nothing may go on.
pub(crate) struct AbortOnOverflow<'a> {
    frame: &'a Frame,
    size: usize,
}

impl<'a> AbortOnOverflow<'a> {
    pub(crate) fn new(frame: &'a Frame, size: usize) -> Self {
        Self { frame, size }
    }
}

impl Drop for AbortOnOverflow<'_> {
    fn drop(&mut self) {
        let name = self.frame.name();
        message::tell(&message::stack_overflow(name.as_deref(), self.size));
        process::abort();
    }
}
