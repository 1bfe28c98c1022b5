//! PostgreSQL as one of the databases that green-light knows.

use std::{sync::Arc, time::Duration};

use sqlx::Postgres;

use crate::database_pool::BoxFuture;
use crate::database_pool::PoolDriver as _;
use crate::driver::monitor::SandboxMonitor;
use crate::driver::options::EngineOptions;
use crate::driver::slot_pool;
use crate::driver::traits::{Driver, SlotDatabase, Template, TestDatabase};
use crate::error::Error;
use crate::limits::Timeouts;
use crate::postgres::dialect::PostgresDialect;
use crate::postgres::local_server::SERVER;
use crate::postgres::sandbox::PostgresSandbox;
use crate::postgres::template::PostgresTemplate;
use crate::schema::definition::Schema;
use crate::server::test_database::ServerDatabase;
use crate::sql::dialect::Dialect;
use crate::url::DatabaseUrl;

#[derive(Debug)]
pub(crate) struct PostgresDriver;

impl Driver for PostgresDriver {
    fn find_server(&self) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(async { SERVER.obtain().await.map(drop) })
    }

    fn template<'a>(
        &'a self,
        schema: &'a Schema,
        options: &'a EngineOptions,
    ) -> BoxFuture<'a, Result<Arc<dyn Template>, Error>> {
        Box::pin(async move {
            let server = SERVER.obtain().await?;
            let wait = options.waits.connection;
            let template = PostgresTemplate::obtain(&server.url, server.is_ours, schema, wait);
            let template = template.await?;
            let template: Arc<dyn Template> = Arc::new(template);
            Ok(template)
        })
    }
}

impl Template for PostgresTemplate {
    fn dialect(&self) -> &'static dyn Dialect {
        &PostgresDialect
    }

    fn url(&self) -> DatabaseUrl {
        self.client.url_of(&self.info.name)
    }

    fn was_built(&self) -> bool {
        self.was_built
    }

    fn counts_connections(&self) -> bool {
        true
    }

    fn server_end(&self) -> Option<String> {
        Postgres::server_end()
    }

    fn open_slot<'a>(
        &'a self,
        _number: u64,
        test: &'a str,
        monitor: &'a Arc<SandboxMonitor>,
        wait: Duration,
    ) -> BoxFuture<'a, Result<Box<dyn SlotDatabase>, Error>> {
        Box::pin(async move {
            let lease = self.lease_for_slot(test).await?;
            let sandbox = PostgresSandbox::new(&lease.options(), wait);
            slot_pool::open(sandbox, lease, monitor, wait).await
        })
    }

    fn create<'a>(
        &'a self,
        owner: &'a str,
        timeouts: Timeouts,
    ) -> BoxFuture<'a, Result<Box<dyn TestDatabase>, Error>> {
        Box::pin(ServerDatabase::create(self, owner, timeouts))
    }
}
