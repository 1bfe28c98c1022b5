//! MySQL as one of the databases that green-light knows.

use std::{any::Any, sync::Arc, time::Duration};

use sqlx::MySql;

use crate::database_pool::BoxFuture;
use crate::database_pool::PoolDriver as _;
use crate::driver::monitor::SandboxMonitor;
use crate::driver::options::EngineOptions;
use crate::driver::slot_pool;
use crate::driver::traits::{Driver, SlotDatabase, SlotStorage, Template};
use crate::error::Error;
use crate::local_server::running;
use crate::mysql::database_lease::Claim;
use crate::mysql::dialect::MySqlDialect;
use crate::mysql::sandbox::MySqlSandbox;
use crate::mysql::template::MySqlTemplate;
use crate::schema::definition::Schema;
use crate::sql::dialect::Dialect;
use crate::url::DatabaseUrl;

#[derive(Debug)]
pub(crate) struct MySqlDriver;

impl Driver for MySqlDriver {
    fn find_server(&self) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(async { running::mysql().await.map(drop) })
    }

    fn template<'a>(
        &'a self,
        schema: &'a Schema,
        options: &'a EngineOptions,
    ) -> BoxFuture<'a, Result<Arc<dyn Template>, Error>> {
        Box::pin(async move {
            let server = running::mysql().await?;
            let wait = options.waits.connection;
            let template = MySqlTemplate::obtain(&server, schema, wait).await?;
            let template: Arc<dyn Template> = Arc::new(template);
            Ok(template)
        })
    }
}

impl Template for MySqlTemplate {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn dialect(&self) -> &'static dyn Dialect {
        &MySqlDialect
    }

    fn url(&self) -> DatabaseUrl {
        self.server_url()
    }

    fn was_built(&self) -> bool {
        self.was_built
    }

    fn counts_connections(&self) -> bool {
        true
    }

    fn server_end(&self) -> Option<String> {
        MySql::server_end()
    }

    fn open_slot<'a>(
        &'a self,
        _number: u64,
        test: &'a str,
        monitor: &'a Arc<SandboxMonitor>,
        wait: Duration,
    ) -> BoxFuture<'a, Result<Box<dyn SlotDatabase>, Error>> {
        Box::pin(async move {
            let (lease, programs) = self.claim_for_slot(test).await?;
            let sandbox = MySqlSandbox::new(lease.options(), wait, programs);
            slot_pool::open(sandbox, lease, monitor, wait).await
        })
    }
}

impl SlotStorage<MySql> for Claim {
    fn url(&self) -> Option<&DatabaseUrl> {
        Some(self.url())
    }

    fn may_idle(&self) -> bool {
        self.is_counted()
    }

    fn park(&self, pool: &sqlx::Pool<MySql>, monitor: &Arc<SandboxMonitor>) {
        self.rest(pool, monitor);
    }

    fn unpark(&self) {
        self.wake();
    }

    fn is_parked(&self) -> bool {
        self.rests()
    }
}
