//! SQLite as one of the databases that green-light knows.

use std::sync::Arc;

use crate::database_pool::BoxFuture;
use crate::driver::options::EngineOptions;
use crate::driver::traits::{Driver, Template};
use crate::error::Error;
use crate::schema::definition::Schema;
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
