//! The end of the process after a stack overflow, which nothing may survive.

use super::message;

/// Ends the process after the stack of a crowd's member has overflowed.
pub(crate) fn abort_after_member_overflow(index: usize, size: usize) -> ! {
    message::tell(&message::member_overflow(index, size));
    std::process::abort()
}
