//! The one tokio runtime of the process, and what it promises.
//!
//! * It is made by the first use, never before `main`, and lives as long as the process: a pool made by a
//!   process-scoped fixture serves every test.
//! * Tests are driven by [`block_on`] on libtest's own threads; what they spawn runs on the runtime's workers.
//! * Its workers are started from a thread without output capture, so what spawned tasks print, and the
//!   messages of their panics, appear on the terminal and are not lost with the buffer of some test.
//! * Threads of `spawn_blocking` are another matter. tokio starts them on the thread that asks, so one that a
//!   test asks for prints into the buffer of that test, as it should; but a thread that is kept for the next
//!   caller goes on printing there, where nobody looks after the test has ended. So none is kept: its idle time
//!   is zero, and each call pays for a thread of its own (about 40 µs). A thread that finds the next job
//!   already in the queue still takes it; stable Rust offers no way to take its capture away.

mod builder;
mod enter;

use std::future::Future;
use std::io;

use once_cell::sync::OnceCell;
use tokio::runtime::{Handle, Runtime};

pub(crate) use builder::Flavor;
pub use enter::RuntimeError;

use crate::process;

static SHARED: OnceCell<Runtime> = OnceCell::new();

fn shared() -> Result<&'static Runtime, RuntimeError> {
    SHARED.get_or_try_init(|| {
        let made = process::spawn_uncaptured("green-light-runtime", || Flavor::Shared.build());
        let made = made.and_then(|thread| {
            thread
                .join()
                .unwrap_or_else(|_| Err(io::Error::other("panic")))
        });
        made.map_err(RuntimeError::not_built)
    })
}

/// The runtime that all tests of the process share.
///
/// # Errors
///
/// When the system has no threads or no file descriptors left for it. The next call tries again.
pub fn handle() -> Result<&'static Handle, RuntimeError> {
    shared().map(Runtime::handle)
}

/// Drives `future` on this thread, in the shared runtime.
///
/// # Errors
///
/// When this thread is in a runtime already, or the runtime cannot be made. `future` is then dropped.
pub fn block_on<F: Future>(future: F) -> Result<F::Output, RuntimeError> {
    enter::refuse_inside_a_runtime()?;
    Ok(shared()?.block_on(future))
}
