//! The `GREEN_LIGHT_*` variables of the database layer.
//!
//! One that cannot be understood fails whatever needs a database, also where its value would not matter:
//! a typo would otherwise look like a feature that does not work.

use std::env;

use crate::{
    database::keep_limit,
    error::{Error, Kind},
    isolation::Isolation,
    rebuild,
};

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
    rebuild::wanted()?;
    keep_limit()?;
    Isolation::from_env()?;
    #[cfg(feature = "_server")]
    crate::upkeep::wanted_connections()?;
    #[cfg(feature = "_server")]
    crate::upkeep::check_wait()?;
    #[cfg(feature = "_server")]
    crate::server::wanted_linger()?;
    Ok(())
}
