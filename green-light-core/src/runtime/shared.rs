//! The runtime itself, in a cell whose initialisation may fail and be tried again.

use std::future::Future;
use std::io;

use once_cell::sync::OnceCell;
use tokio::runtime::{Handle, Runtime};

use crate::os;
use crate::runtime::builder::Flavor;
use crate::runtime::enter;
use crate::runtime::enter::RuntimeError;

static SHARED: OnceCell<Runtime> = OnceCell::new();

fn shared() -> Result<&'static Runtime, RuntimeError> {
    SHARED.get_or_try_init(|| {
        let made = os::spawn_uncaptured("green-light-runtime", || Flavor::Shared.build());
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

/// Whether `handle` is that of the shared runtime. Does not make one.
pub(crate) fn is_shared(handle: &Handle) -> bool {
    SHARED
        .get()
        .is_some_and(|shared| shared.handle().id() == handle.id())
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
