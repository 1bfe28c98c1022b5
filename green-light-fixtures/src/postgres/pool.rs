//! Pools of sqlx on PostgreSQL.

#[cfg(feature = "sea-orm")]
use sea_orm::DatabaseConnection;
#[cfg(feature = "sqlx")]
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::{AssertSqlSafe, Executor as _, PgConnection, Postgres};

use crate::database_pool::{BoxFuture, PoolDriver};
use crate::postgres::dialect::PostgresDialect;
use crate::postgres::local_server::SERVER;
use crate::sql::dialect::Dialect;

impl PoolDriver for Postgres {
    const DIALECT: &'static dyn Dialect = &PostgresDialect;

    #[cfg(feature = "sea-orm")]
    fn to_sea_orm(pool: sqlx::Pool<Self>) -> DatabaseConnection {
        sea_orm::SqlxPostgresConnector::from_sqlx_postgres_pool(pool)
    }

    #[cfg(feature = "sqlx")]
    fn migrate<'a>(
        pool: &'a sqlx::Pool<Self>,
        migrator: &'a Migrator,
    ) -> BoxFuture<'a, Result<(), MigrateError>> {
        Box::pin(migrator.run(pool))
    }

    fn execute(
        connection: &mut PgConnection,
        sql: String,
    ) -> BoxFuture<'_, Result<(), sqlx::Error>> {
        Box::pin(async move { connection.execute(AssertSqlSafe(sql)).await.map(drop) })
    }

    fn server_end() -> Option<String> {
        SERVER.end_after_lost_connection()
    }
}
