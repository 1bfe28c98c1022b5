//! The drivers of the databases whose features are on.

use crate::backend::Backend;
use crate::databases::with_databases;
use crate::driver::traits::Driver;
use crate::error::Error;

macro_rules! drivers {
    ($(#[$is_on:meta] $folder:ident, $database:ident, $_name:literal, $_method:ident, $_pool:ident, $_connection:ident;)*) => {
        const DRIVERS: &[(Backend, &dyn Driver)] =
            &[$(#[$is_on] (Backend::$database, &crate::$folder::driver::DRIVER)),*];
    };
}

with_databases!(drivers);

/// The driver of `backend`.
///
/// # Errors
///
/// When the feature of its name is not on.
pub(crate) fn driver(backend: Backend) -> Result<&'static dyn Driver, Error> {
    let found = DRIVERS.iter().find(|(known, _)| *known == backend);
    let (_, driver) = found.ok_or_else(|| backend.without_feature())?;
    Ok(*driver)
}

/// Whether the variables of all databases are understood.
///
/// # Errors
///
/// When one is not, with what to write.
pub(crate) fn check_variables() -> Result<(), Error> {
    DRIVERS
        .iter()
        .try_for_each(|(_, driver)| driver.check_variables())
}

impl Default for Backend {
    fn default() -> Self {
        match DRIVERS {
            [(only, _)] => *only,
            _ => Self::Sqlite,
        }
    }
}
