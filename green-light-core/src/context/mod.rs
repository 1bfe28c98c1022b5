//! What a coroutine context is.

mod cancel;
mod coroutine;
mod current;
mod frame;
mod handler;
mod in_place;
mod message;
mod missing;
mod run_sync;
mod settings;
mod stack;
mod stall;
mod wait;

pub use cancel::{CancelToken, is_cancelled_payload};
pub use missing::MissingContext;
pub use run_sync::{RunSync, run_sync};
#[doc(hidden)]
pub use settings::Limits;
pub use wait::{is_active, synchronous, try_wait, wait, wait_named};

/// Ends the process after the stack of a crowd's member has overflowed.
pub(crate) fn abort_after_member_overflow(index: usize, size: usize) -> ! {
    message::tell(&message::member_overflow(index, size));
    std::process::abort()
}
