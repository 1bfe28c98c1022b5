//! Databases as SeaORM names them, and pools as it takes them.

use sea_orm::{DatabaseConnection, DbBackend};

use crate::backend::Backend;
use crate::database_pool::DatabasePool;
use crate::databases::with_databases;

macro_rules! conversions {
    ($(#[$is_on:meta] $_folder:ident, $database:ident, $_name:literal, $_method:ident, $_pool:ident, $_connection:ident;)*) => {
        /// The pool as SeaORM takes it; a disconnected one if the test has ended.
        pub(crate) fn connection(pool: &DatabasePool) -> DatabaseConnection {
            $(
                #[$is_on]
                if let Some(pool) = pool.of::<sqlx::$database>() {
                    return pool.clone().into();
                }
            )*
            DatabaseConnection::default()
        }

        /// How many connections the pool has, and how many it may have, if its test has not ended.
        pub(crate) fn size(pool: &DatabasePool) -> Option<(u32, u32)> {
            $(
                #[$is_on]
                if let Some(pool) = pool.of::<sqlx::$database>() {
                    return Some((pool.size(), pool.options().get_max_connections()));
                }
            )*
            None
        }
    };
}

with_databases!(conversions);

impl Backend {
    /// The same database as SeaORM names it.
    #[must_use]
    pub fn dialect(self) -> DbBackend {
        match self {
            Self::Sqlite => DbBackend::Sqlite,
            Self::Postgres => DbBackend::Postgres,
            Self::MySql => DbBackend::MySql,
        }
    }
}
