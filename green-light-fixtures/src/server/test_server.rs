//! A kind of server as one of the databases that green-light knows.

use std::{any::Any, future::Future, marker::PhantomData, sync::Arc, time::Duration};

use crate::database_pool::{BoxFuture, PoolDriver as _};
use crate::driver::engine_builder::EngineOptions;
use crate::driver::listed_database::Shell;
use crate::driver::local_server_state::LocalServerState;
use crate::driver::monitor::SandboxMonitor;
use crate::driver::sandbox::Sandbox;
use crate::driver::server_facts::{ServerFacts, ServerState};
use crate::driver::slot_pool;
use crate::driver::traits::{Driver, SlotDatabase, Template, TestDatabase};
use crate::driver::upkeep::Upkeep;
use crate::error::Error;
use crate::limits::Timeouts;
use crate::schema::definition::Schema;
use crate::server::connection_budget::ConnectionHolder;
use crate::server::database_lease::DatabaseLease;
use crate::server::driver::UpkeepSql;
use crate::server::shortage;
use crate::server::template::{Edition, ServerTemplate};
use crate::server::test_database::{Restoring, ServerDatabase};
use crate::sql::dialect::Dialect;
use crate::url::DatabaseUrl;

/// What tests need of a server, besides templates and databases made from them.
pub(crate) trait TestServer: Restoring + UpkeepSql {
    type Sandbox: Sandbox<Db = Self::Db>;

    /// Whether its variables are understood.
    fn check_variables() -> Result<(), Error>;

    /// What is known of the server of this process.
    fn facts() -> ServerFacts;

    /// Finds or starts the server of this process, and asks it what it is.
    fn state() -> impl Future<Output = Result<ServerState, Error>> + Send;

    /// Finds or starts the server of this process: its URL, and whether green-light started it.
    fn find() -> impl Future<Output = Result<(DatabaseUrl, bool), Error>> + Send;

    /// The server that green-light runs, as it is now.
    fn local_server() -> Result<Option<LocalServerState>, Error>;

    /// Starts it for so long.
    fn start_local_server(time: Duration) -> impl Future<Output = Result<(), Error>> + Send;

    /// Stops it. Whether it ran.
    fn stop_local_server() -> impl Future<Output = Result<bool, Error>> + Send;

    /// What opens the database at `url` for a person.
    fn shell(url: &DatabaseUrl) -> Shell;

    /// Leases a database like `edition` for a slot that `test` is the first to have, whose pool waits as long as
    /// `wait`.
    fn open_sandbox(
        template: &ServerTemplate<Self>,
        edition: &Edition<Self>,
        test: &str,
        wait: Duration,
    ) -> impl Future<Output = Result<(Self::Sandbox, DatabaseLease<Self>), Error>> + Send;
}

/// The driver of one kind of server.
pub(crate) struct OnServer<D>(PhantomData<fn() -> D>);

impl<D> OnServer<D> {
    pub(crate) const NEW: Self = Self(PhantomData);
}

impl<D: TestServer> Driver for OnServer<D> {
    fn check_variables(&self) -> Result<(), Error> {
        D::check_variables()
    }

    fn find_server(&self) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(async { D::find().await.map(drop) })
    }

    fn server_facts(&self) -> Option<ServerFacts> {
        Some(D::facts())
    }

    fn server_state(&self) -> BoxFuture<'_, Result<Option<ServerState>, Error>> {
        Box::pin(async { D::state().await.map(Some) })
    }

    fn upkeep(&self) -> Option<&dyn Upkeep> {
        Some(self)
    }

    fn template<'a>(
        &'a self,
        schema: &'a Schema,
        options: &'a EngineOptions,
    ) -> BoxFuture<'a, Result<Arc<dyn Template>, Error>> {
        Box::pin(async move {
            let (url, is_ours) = D::find().await?;
            let wait = options.waits.connection;
            let template = ServerTemplate::<D>::obtain(&url, is_ours, schema, wait).await?;
            Ok(Arc::new(Arc::new(template)) as Arc<dyn Template>)
        })
    }
}

impl<D: TestServer> Template for Arc<ServerTemplate<D>> {
    fn dialect(&self) -> &'static dyn Dialect {
        D::Db::DIALECT
    }

    fn url(&self) -> DatabaseUrl {
        self.client.test_url_of(&self.latest().info.name)
    }

    fn builds(&self) -> u64 {
        ServerTemplate::builds(self)
    }

    fn on_shortage(&self, evict: fn()) -> bool {
        shortage::on_shortage(evict);
        true
    }

    fn note_connection(&self, test: &str) -> Option<Box<dyn Any + Send + Sync>> {
        Some(Box::new(ConnectionHolder::new(test)))
    }

    fn note_turn(&self, test: &str) -> Option<Box<dyn Any + Send + Sync>> {
        Some(Box::new(ConnectionHolder::turn(test)))
    }

    fn server_end(&self) -> Option<String> {
        D::Db::server_end()
    }

    fn open_slot<'a>(
        &'a self,
        _number: u64,
        test: &'a str,
        monitor: &'a Arc<SandboxMonitor>,
        wait: Duration,
    ) -> BoxFuture<'a, Result<Box<dyn SlotDatabase>, Error>> {
        Box::pin(async move {
            let edition = self.edition().await?;
            let (sandbox, lease) = D::open_sandbox(self, &edition, test, wait).await?;
            let slot = slot_pool::open(sandbox, lease, monitor, wait).await?;
            // What it opened is a database without the rows that a crash has taken, if there was one meanwhile.
            self.client.look().await;
            if self.client.has_lost(&edition.info) {
                slot.close();
                return Err(self
                    .client
                    .loss("while a database for a test was being made"));
            }
            Ok(slot)
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
