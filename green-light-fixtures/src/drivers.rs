//! The list of databases: what a new one is added to.

use crate::backend::Backend;
use crate::driver::traits::Driver;
use crate::error::Error;
#[cfg(feature = "mysql")]
use crate::mysql::driver::MySqlDriver;
#[cfg(feature = "postgres")]
use crate::postgres::driver::PostgresDriver;
#[cfg(feature = "sqlite")]
use crate::sqlite::driver::SqliteDriver;

/// The driver of `backend`.
///
/// # Errors
///
/// When the feature of its name is not on.
pub(crate) fn driver(backend: Backend) -> Result<&'static dyn Driver, Error> {
    match backend {
        #[cfg(feature = "sqlite")]
        Backend::Sqlite => Ok(&SqliteDriver),
        #[cfg(feature = "postgres")]
        Backend::Postgres => Ok(&PostgresDriver::NEW),
        #[cfg(feature = "mysql")]
        Backend::MySql => Ok(&MySqlDriver::NEW),
        #[allow(unreachable_patterns, reason = "with all features there is no other")]
        other => Err(other.without_feature()),
    }
}
