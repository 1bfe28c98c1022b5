//! What the tests share.

use std::future::Future;

use tokio::runtime::Builder;

/// Drives a future on this thread, as libtest's thread would.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    let runtime = Builder::new_current_thread().enable_all().build();
    runtime.expect("a test needs a runtime").block_on(future)
}
