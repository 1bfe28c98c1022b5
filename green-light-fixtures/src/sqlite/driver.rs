//! SQLite as one of the databases that green-light knows.

use std::sync::Arc;

use sqlx::{Executor as _, Row as _};

use crate::database_pool::{BoxFuture, pool_driver};
use crate::driver::options::EngineOptions;
use crate::driver::traits::{Driver, Template};
use crate::error::Error;
use crate::schema::definition::Schema;
use crate::sqlite::dialect::SqliteDialect;
use crate::sqlite::template::SqliteTemplate;

#[derive(Debug)]
pub(crate) struct SqliteDriver;

impl Driver for SqliteDriver {
    fn template<'a>(
        &'a self,
        schema: &'a Schema,
        options: &'a EngineOptions,
    ) -> BoxFuture<'a, Result<Arc<dyn Template>, Error>> {
        Box::pin(async move {
            let template: Arc<dyn Template> =
                Arc::new(SqliteTemplate::obtain(schema, options).await?);
            Ok(template)
        })
    }
}

pool_driver!(
    Sqlite,
    SqliteDialect,
    SqlxSqliteConnector::from_sqlx_sqlite_pool,
    fn settings(
        connection: &mut Self::Connection,
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
);
