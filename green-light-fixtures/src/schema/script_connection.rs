//! The one connection on which a text of SQL runs.

use sqlx::{AssertSqlSafe, Executor as _, pool::PoolConnection};

use crate::driver::driver_pool::DriverPool;

/// A connection taken from the pool of a schema that is being built.
pub(crate) enum Session {
    #[cfg(feature = "sqlite")]
    Sqlite {
        connection: PoolConnection<sqlx::Sqlite>,
        /// Whether foreign keys are checked.
        checks: bool,
    },
    #[cfg(feature = "postgres")]
    Postgres(PoolConnection<sqlx::Postgres>),
    #[cfg(feature = "mysql")]
    MySql(PoolConnection<sqlx::MySql>),
}

impl Session {
    pub(crate) async fn of(db: &DriverPool) -> Result<Self, sqlx::Error> {
        Ok(match db {
            #[cfg(feature = "sqlite")]
            DriverPool::Sqlite(pool) => {
                let mut connection = pool.acquire().await?;
                let checks = sqlx::query_scalar("PRAGMA foreign_keys");
                let checks = checks.fetch_one(&mut *connection).await?;
                Self::Sqlite { connection, checks }
            }
            #[cfg(feature = "postgres")]
            DriverPool::Postgres(pool) => Self::Postgres(pool.acquire().await?),
            #[cfg(feature = "mysql")]
            DriverPool::MySql(pool) => Self::MySql(pool.acquire().await?),
            DriverPool::Ended => return Err(sqlx::Error::PoolClosed),
        })
    }

    pub(crate) async fn run(&mut self, sql: &str) -> Result<(), sqlx::Error> {
        let sql = AssertSqlSafe(sql);
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite { connection, .. } => connection.execute(sql).await.map(drop),
            #[cfg(feature = "postgres")]
            Self::Postgres(connection) => connection.execute(sql).await.map(drop),
            #[cfg(feature = "mysql")]
            Self::MySql(connection) => connection.execute(sql).await.map(drop),
        }
    }

    /// Ends it. What comes next gets a new connection, with the settings that one has.
    pub(crate) async fn end(self) -> Result<(), sqlx::Error> {
        match self {
            // The database lives as long as this connection does; only `.dump` is known to set anything.
            #[cfg(feature = "sqlite")]
            Self::Sqlite {
                mut connection,
                checks,
            } => {
                let reset = format!("PRAGMA foreign_keys = {checks}; PRAGMA writable_schema = OFF");
                connection.execute(AssertSqlSafe(reset)).await.map(drop)
            }
            #[cfg(feature = "postgres")]
            Self::Postgres(connection) => connection.close().await,
            #[cfg(feature = "mysql")]
            Self::MySql(connection) => connection.close().await,
        }
    }
}
