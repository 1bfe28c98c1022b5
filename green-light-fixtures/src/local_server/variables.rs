//! The variables that servers read.

use crate::error::Error;
use crate::local_server::linger;
use crate::server::{connection_budget, response_timeout};

/// Whether all of them are understood.
///
/// # Errors
///
/// When one is not, with what to write.
pub(crate) fn check() -> Result<(), Error> {
    connection_budget::wanted_connections()?;
    response_timeout::check_wait()?;
    linger::asked()?;
    Ok(())
}
