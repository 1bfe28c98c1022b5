//! A pool of sqlx, whichever driver it belongs to.

use std::pin::Pin;

#[cfg(feature = "sea-orm")]
use sea_orm::DatabaseConnection;
#[cfg(feature = "mysql")]
use sqlx::MySqlPool;
#[cfg(feature = "postgres")]
use sqlx::PgPool;
#[cfg(feature = "sqlite")]
use sqlx::sqlite::SqlitePool;

use crate::driver::backend::Backend;

/// A pool of one of the databases. Clones are the same pool.
#[derive(Clone, Debug, Default)]
pub(crate) enum DriverPool {
    /// The test has ended, and there is no pool any more.
    #[default]
    Ended,
    #[cfg(feature = "sqlite")]
    Sqlite(SqlitePool),
    #[cfg(feature = "postgres")]
    Postgres(PgPool),
    #[cfg(feature = "mysql")]
    MySql(MySqlPool),
}

impl DriverPool {
    /// Which database it is on.
    pub(crate) fn backend(&self) -> Option<Backend> {
        Some(match self {
            Self::Ended => return None,
            #[cfg(feature = "sqlite")]
            Self::Sqlite(_) => Backend::Sqlite,
            #[cfg(feature = "postgres")]
            Self::Postgres(_) => Backend::Postgres,
            #[cfg(feature = "mysql")]
            Self::MySql(_) => Backend::MySql,
        })
    }

    /// The pool as SeaORM sees it; a disconnected one if the test has ended.
    #[cfg(feature = "sea-orm")]
    pub(crate) fn to_sea_orm(&self) -> DatabaseConnection {
        match self {
            Self::Ended => DatabaseConnection::default(),
            #[cfg(feature = "sqlite")]
            Self::Sqlite(pool) => sea_orm::SqlxSqliteConnector::from_sqlx_sqlite_pool(pool.clone()),
            #[cfg(feature = "postgres")]
            Self::Postgres(pool) => {
                sea_orm::SqlxPostgresConnector::from_sqlx_postgres_pool(pool.clone())
            }
            #[cfg(feature = "mysql")]
            Self::MySql(pool) => sea_orm::SqlxMySqlConnector::from_sqlx_mysql_pool(pool.clone()),
        }
    }

    /// Refuses new acquisitions from here on, and waits for the connections that are out.
    ///
    /// The first happens at once, the second when the returned future is awaited.
    pub(crate) fn close(&self) -> impl Future<Output = ()> + use<> {
        let closing = match self {
            Self::Ended => None,
            #[cfg(feature = "sqlite")]
            Self::Sqlite(pool) => Some(closing(pool)),
            #[cfg(feature = "postgres")]
            Self::Postgres(pool) => Some(closing(pool)),
            #[cfg(feature = "mysql")]
            Self::MySql(pool) => Some(closing(pool)),
        };
        async move {
            if let Some(closing) = closing {
                closing.await;
            }
        }
    }

    /// What to know if its server was started by green-light and has ended, in words.
    pub(crate) fn server_end(&self) -> Option<String> {
        match self {
            #[cfg(feature = "postgres")]
            Self::Postgres(_) => crate::local_server::origin::end_of(Backend::Postgres),
            #[cfg(feature = "mysql")]
            Self::MySql(_) => crate::local_server::origin::end_of(Backend::MySql),
            _ => None,
        }
    }

    /// How many connections it may have.
    #[cfg(feature = "sea-orm")]
    pub(crate) fn most(&self) -> Option<u32> {
        Some(match self {
            Self::Ended => return None,
            #[cfg(feature = "sqlite")]
            Self::Sqlite(pool) => pool.options().get_max_connections(),
            #[cfg(feature = "postgres")]
            Self::Postgres(pool) => pool.options().get_max_connections(),
            #[cfg(feature = "mysql")]
            Self::MySql(pool) => pool.options().get_max_connections(),
        })
    }
}

fn closing<DB: sqlx::Database>(pool: &sqlx::Pool<DB>) -> Pin<Box<dyn Future<Output = ()> + Send>> {
    let pool = pool.clone();
    // The call refuses; awaiting what it returns waits.
    drop(pool.close());
    Box::pin(async move { pool.close().await })
}
