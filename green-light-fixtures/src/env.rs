//! The `GREEN_LIGHT_*` variables of the database layer.
//!
//! One that cannot be understood fails whatever needs a database, also where its value would not matter:
//! a typo would otherwise look like a feature that does not work.

use std::env;

use crate::database::keep::limit as keep_limit;
use crate::error::{Error, Kind};
use crate::forced_rebuild;
use crate::isolation::Isolation;

/// What the variable `name` holds, without blanks around it; nothing if that is nothing.
pub(crate) fn value(name: &str) -> Option<String> {
    let value = env::var_os(name)?;
    let value = value.to_string_lossy();
    let value = value.trim();
    (!value.is_empty()).then(|| value.to_owned())
}

/// The error about a `value` that the variable `name` cannot have.
pub(crate) fn not_understood(name: &str, value: &str, help: &str) -> Error {
    let fact = format!("`{name}={value}` is not understood");
    Error::new(Kind::Configuration, fact).help(help)
}

/// Whether all of them are understood.
///
/// # Errors
///
/// When one is not, with what to write.
pub(crate) fn check() -> Result<(), Error> {
    forced_rebuild::wanted()?;
    keep_limit()?;
    Isolation::from_env()?;
    #[cfg(feature = "_server")]
    crate::server::connection_budget::wanted_connections()?;
    #[cfg(feature = "_server")]
    crate::server::response_timeout::check_wait()?;
    #[cfg(feature = "_server")]
    crate::local_server::linger::asked()?;
    Ok(())
}
