//! What a coroutine context is.

mod cancel;
mod coroutine;
mod current;
mod frame;
mod handler;
mod in_place;
mod message;
mod missing;
mod overflow;
mod run_sync;
mod settings;
mod stack;
mod stall;
mod wait;

pub use cancel::{CancelToken, is_cancelled_payload};
pub use missing::MissingContext;
pub(crate) use overflow::abort_after_member_overflow;
pub use run_sync::{RunSync, run_sync};
#[doc(hidden)]
pub use settings::Limits;
pub use wait::{is_active, synchronous, try_wait, wait, wait_named};
