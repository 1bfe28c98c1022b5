//! What the functions of a schema get: the database that is being made.

use sqlx::Pool;

use crate::backend::Backend;
use crate::database_pool::{DatabasePool, PoolDriver};
use crate::databases::with_databases;
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
    pub(crate) connection: sea_orm::DatabaseConnection,
    url: DatabaseUrl,
}

impl NewDatabase {
    pub(crate) fn new(pool: DatabasePool, url: DatabaseUrl) -> Self {
        Self {
            #[cfg(feature = "sea-orm")]
            connection: crate::orm::connection(&pool),
            pool,
            url,
        }
    }

    pub(crate) fn pool(&self) -> &DatabasePool {
        &self.pool
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

macro_rules! pools {
    ($(#[$is_on:meta] $_folder:ident, $database:ident, $name:literal, $method:ident, $_pool:ident, $_connection:ident;)*) => {
        impl NewDatabase {$(
            #[doc = concat!("The sqlx pool behind the connection, on ", $name, ".")]
            ///
            /// # Panics
            ///
            /// When this is another database.
            #[$is_on]
            #[must_use]
            #[track_caller]
            pub fn $method(&self) -> &Pool<sqlx::$database> {
                self.raw()
            }
        )*}
    };
}

with_databases!(pools);
