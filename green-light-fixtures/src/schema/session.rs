//! The one connection on which a text of SQL runs.

use sea_orm::{DatabaseConnection, DbBackend};
use sqlx::{AssertSqlSafe, Executor as _, pool::PoolConnection};

/// A connection taken from the pool of a schema that is being built.
pub(super) enum Session {
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
    pub(super) async fn of(db: &DatabaseConnection) -> Result<Self, sqlx::Error> {
        Ok(match db.get_database_backend() {
            #[cfg(feature = "sqlite")]
            DbBackend::Sqlite => {
                let mut connection = db.get_sqlite_connection_pool().acquire().await?;
                let checks = sqlx::query_scalar("PRAGMA foreign_keys");
                let checks = checks.fetch_one(&mut *connection).await?;
                Self::Sqlite { connection, checks }
            }
            #[cfg(feature = "postgres")]
            DbBackend::Postgres => {
                Self::Postgres(db.get_postgres_connection_pool().acquire().await?)
            }
            #[cfg(feature = "mysql")]
            DbBackend::MySql => Self::MySql(db.get_mysql_connection_pool().acquire().await?),
            other => {
                let text = format!("there is no connection to {other:?}");
                return Err(sqlx::Error::Configuration(text.into()));
            }
        })
    }

    pub(super) async fn run(&mut self, sql: &str) -> Result<(), sqlx::Error> {
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
    pub(super) async fn end(self) -> Result<(), sqlx::Error> {
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
