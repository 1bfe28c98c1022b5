//! A runtime for one test alone.

use std::future::Future;

use super::{Flavor, RuntimeError, enter};

/// Drives `future` on this thread, in a current-thread runtime that ends with it.
///
/// # Errors
///
/// As the shared runtime's [`block_on`](super::block_on).
pub(crate) fn block_on_private<F: Future>(future: F) -> Result<F::Output, RuntimeError> {
    enter::refuse_inside_a_runtime()?;
    let runtime = Flavor::Private.build().map_err(RuntimeError::not_built)?;
    Ok(runtime.block_on(future))
}
