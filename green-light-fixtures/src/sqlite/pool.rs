//! Pools of sqlx on SQLite.

#[cfg(feature = "sea-orm")]
use sea_orm::DatabaseConnection;
#[cfg(feature = "sqlx")]
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::{AssertSqlSafe, Executor as _, Row as _, Sqlite, sqlite::SqliteConnection};

use crate::database_pool::{BoxFuture, PoolDriver};
use crate::sql::dialect::Dialect;
use crate::sqlite::dialect::SqliteDialect;

impl PoolDriver for Sqlite {
    const DIALECT: &'static dyn Dialect = &SqliteDialect;

    #[cfg(feature = "sea-orm")]
    fn to_sea_orm(pool: sqlx::Pool<Self>) -> DatabaseConnection {
        sea_orm::SqlxSqliteConnector::from_sqlx_sqlite_pool(pool)
    }

    #[cfg(feature = "sqlx")]
    fn migrate<'a>(
        pool: &'a sqlx::Pool<Self>,
        migrator: &'a Migrator,
    ) -> BoxFuture<'a, Result<(), MigrateError>> {
        Box::pin(migrator.run(pool))
    }

    fn execute(
        connection: &mut SqliteConnection,
        sql: String,
    ) -> BoxFuture<'_, Result<(), sqlx::Error>> {
        Box::pin(async move { connection.execute(AssertSqlSafe(sql)).await.map(drop) })
    }

    fn settings(
        connection: &mut SqliteConnection,
    ) -> BoxFuture<'_, Result<Option<String>, sqlx::Error>> {
        // The database may live as long as this connection does, and a dump sets no more than these.
        Box::pin(async move {
            let row = connection.fetch_one("PRAGMA foreign_keys").await?;
            let checks: bool = row.try_get(0)?;
            Ok(Some(format!(
                "PRAGMA foreign_keys = {checks}; PRAGMA writable_schema = OFF"
            )))
        })
    }
}
