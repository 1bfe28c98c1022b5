//! A runtime for one test alone.

use std::future::Future;

use tokio::runtime::Runtime;

use crate::runtime::builder::Flavor;
use crate::runtime::enter;
use crate::runtime::enter::RuntimeError;

/// Drives `future` on this thread, in a current-thread runtime that ends with it.
///
/// # Errors
///
/// As the shared runtime's [`block_on`](crate::runtime::shared::block_on).
pub(crate) fn block_on_private<F: Future>(future: F) -> Result<F::Output, RuntimeError> {
    Ok(private()?.block_on(future))
}

/// A current-thread runtime for one test.
///
/// # Errors
///
/// As the shared runtime's [`block_on`](crate::runtime::shared::block_on).
pub(crate) fn private() -> Result<Runtime, RuntimeError> {
    enter::refuse_inside_a_runtime()?;
    Flavor::Private.build().map_err(RuntimeError::not_built)
}
