//! The one tokio runtime of the process, and what it promises.
//!
//! * It is made by the first use, never before `main`, and lives as long as the process: a pool made by a
//!   process-scoped fixture serves every test.
//! * Tests are driven by [`block_on`] on libtest's own threads; what they spawn runs on the runtime's workers.
//! * Its workers are started from a thread without output capture, so what spawned tasks print, and the
//!   messages of their panics, appear on the terminal and are not lost with the buffer of some test.
//! * Threads of `spawn_blocking` are another matter. tokio starts them on the thread that asks, so one that a
//!   test asks for prints into the buffer of that test, as it should; but a thread that is kept for the next
//!   caller would go on printing there, into a buffer that is not shown once its test has ended. So none is kept: its idle time
//!   is zero, and each call pays for a thread of its own (about 40 µs). A thread that finds the next job
//!   already in the queue still takes it; stable Rust offers no way to take its capture away.

pub(crate) mod builder;
pub(crate) mod enter;
pub(crate) mod private;
pub(crate) mod shared;

pub use crate::runtime::enter::RuntimeError;
pub use crate::runtime::shared::{block_on, handle};
