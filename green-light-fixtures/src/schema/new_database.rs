//! What the functions of a schema get: the database that is being made.

#[cfg(feature = "sea-orm")]
use std::ops::Deref;

#[cfg(feature = "sea-orm")]
use sea_orm::DatabaseConnection;
use sqlx::Pool;

use crate::backend::Backend;
use crate::database_pool::{DatabasePool, PoolDriver};
use crate::url::DatabaseUrl;

/// The database that [`Schema::run`](crate::Schema::run) fills, by SeaORM, sqlx or any other driver.
///
/// It derefs to SeaORM's connection. Connections that a function opens itself, from [`url`](Self::url),
/// are closed by it: databases of tests are copies of this one, and a database that is in use is not
/// copied. Those that are left open when the function ends are ended on servers.
#[derive(Clone, Debug)]
pub struct NewDatabase {
    pool: DatabasePool,
    #[cfg(feature = "sea-orm")]
    connection: DatabaseConnection,
    url: DatabaseUrl,
}

impl NewDatabase {
    pub(crate) fn new(pool: DatabasePool, url: DatabaseUrl) -> Self {
        Self {
            #[cfg(feature = "sea-orm")]
            connection: pool.to_sea_orm(),
            pool,
            url,
        }
    }

    pub(crate) fn pool(&self) -> &DatabasePool {
        &self.pool
    }

    /// SeaORM's connection to it.
    #[cfg(feature = "sea-orm")]
    #[must_use]
    pub fn connection(&self) -> &DatabaseConnection {
        &self.connection
    }

    /// Which database this is.
    #[must_use]
    pub fn backend(&self) -> Backend {
        self.pool.backend().unwrap_or_default()
    }

    /// Where it is. [`expose`](DatabaseUrl::expose) gives the text for a driver.
    ///
    /// On SQLite this is a file.
    #[must_use]
    pub fn url(&self) -> &DatabaseUrl {
        &self.url
    }

    /// The sqlx pool behind the connection.
    ///
    /// # Panics
    ///
    /// When this is another database.
    #[cfg(feature = "sqlite")]
    #[must_use]
    #[track_caller]
    pub fn sqlite_pool(&self) -> &sqlx::SqlitePool {
        self.raw::<sqlx::Sqlite>()
    }

    /// The sqlx pool behind the connection.
    ///
    /// # Panics
    ///
    /// When this is another database.
    #[cfg(feature = "postgres")]
    #[must_use]
    #[track_caller]
    pub fn postgres_pool(&self) -> &sqlx::PgPool {
        self.raw::<sqlx::Postgres>()
    }

    /// The sqlx pool behind the connection.
    ///
    /// # Panics
    ///
    /// When this is another database.
    #[cfg(feature = "mysql")]
    #[must_use]
    #[track_caller]
    pub fn mysql_pool(&self) -> &sqlx::MySqlPool {
        self.raw::<sqlx::MySql>()
    }

    #[track_caller]
    fn raw<DB: PoolDriver>(&self) -> &Pool<DB> {
        let (backend, wanted) = (self.backend(), DB::DIALECT.backend());
        self.pool.of().unwrap_or_else(|| {
            panic!(
                "this database is on `{backend}`, not on `{wanted}`\n  help: ask `backend()` first"
            )
        })
    }
}

#[cfg(feature = "sea-orm")]
impl Deref for NewDatabase {
    type Target = DatabaseConnection;

    fn deref(&self) -> &DatabaseConnection {
        &self.connection
    }
}
