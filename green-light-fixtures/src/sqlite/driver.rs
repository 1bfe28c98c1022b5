//! SQLite as one of the databases that green-light knows.

use std::sync::Arc;

use sqlx::{Executor as _, Row as _, sqlite::SqliteConnectOptions};

use crate::database_pool::{BoxFuture, pool_driver};
use crate::driver::engine_builder::{EngineBuilder, EngineOptions};
use crate::driver::traits::{Driver, Template};
use crate::driver::upkeep::Upkeep;
use crate::error::Error;
use crate::schema::definition::Schema;
use crate::sqlite::dialect::SqliteDialect;
use crate::sqlite::template::{SqliteTemplate, connect_options};

pub(crate) static DRIVER: SqliteDriver = SqliteDriver;

#[derive(Debug)]
pub(crate) struct SqliteDriver;

impl Driver for SqliteDriver {
    fn upkeep(&self) -> Option<&dyn Upkeep> {
        Some(self)
    }

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

impl EngineBuilder {
    /// Changes how SQLite is opened: collations, extensions, `foreign_keys`, logging.
    ///
    /// The file name and the journal are green-light's own and are set after `change`.
    pub fn map_sqlite_options(
        mut self,
        change: impl FnOnce(SqliteConnectOptions) -> SqliteConnectOptions,
    ) -> Self {
        let options = change(connect_options(&self.options));
        self.options.connect = Some(Arc::new(options));
        self
    }
}
