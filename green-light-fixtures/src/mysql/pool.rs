//! Pools of sqlx on MySQL.

#[cfg(feature = "sea-orm")]
use sea_orm::DatabaseConnection;
#[cfg(feature = "sqlx")]
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::{AssertSqlSafe, Executor as _, MySql, MySqlConnection};

use crate::database_pool::{BoxFuture, PoolDriver};
use crate::mysql::dialect::MySqlDialect;
use crate::mysql::local_server::SERVER;
use crate::sql::dialect::Dialect;

impl PoolDriver for MySql {
    const DIALECT: &'static dyn Dialect = &MySqlDialect;

    #[cfg(feature = "sea-orm")]
    fn to_sea_orm(pool: sqlx::Pool<Self>) -> DatabaseConnection {
        sea_orm::SqlxMySqlConnector::from_sqlx_mysql_pool(pool)
    }

    #[cfg(feature = "sqlx")]
    fn migrate<'a>(
        pool: &'a sqlx::Pool<Self>,
        migrator: &'a Migrator,
    ) -> BoxFuture<'a, Result<(), MigrateError>> {
        Box::pin(migrator.run(pool))
    }

    fn execute(
        connection: &mut MySqlConnection,
        sql: String,
    ) -> BoxFuture<'_, Result<(), sqlx::Error>> {
        Box::pin(async move { connection.execute(AssertSqlSafe(sql)).await.map(drop) })
    }

    fn server_end() -> Option<String> {
        SERVER.end_after_lost_connection()
    }
}
