//! A database that a test or a slot of the sandbox has, and what becomes of it.

use std::{mem, sync::Arc, time::Duration};

use crate::database_pool::{BoxFuture, DatabasePool};
use crate::driver::monitor::SandboxMonitor;
use crate::driver::traits::SlotStorage;
use crate::error::Error;
use crate::limits::Timeouts;
use crate::server::background::{on_own_runtime, spawn};
use crate::server::client::ServerClient;
use crate::server::connection_budget::ConnectionPermits;
use crate::server::driver::{Options, Pool, ServerDriver};
use crate::server::parked::Parked;
use crate::server::{reaper, server_wide};
use crate::url::DatabaseUrl;

/// How long the connection of a slot may take to end. It belongs to the runtime that made it, which may be gone.
const SESSION_END: Duration = Duration::from_secs(1);

/// A database that a test or a slot has. Dropped, it is recycled if it is parked, and else becomes garbage.
#[derive(Debug)]
pub(crate) struct DatabaseLease<D: ServerDriver> {
    pub(crate) client: Arc<ServerClient<D>>,
    /// Empty once it is kept.
    pub(crate) name: String,
    url: DatabaseUrl,
    /// Released after the database. `None` if another lease has permits for its connections.
    permits: Option<ConnectionPermits<D>>,
}

impl<D: ServerDriver> DatabaseLease<D> {
    pub(crate) fn new(
        client: Arc<ServerClient<D>>,
        name: String,
        permits: Option<ConnectionPermits<D>>,
    ) -> Self {
        Self {
            url: client.test_url_of(&name),
            client,
            name,
            permits,
        }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn url(&self) -> &DatabaseUrl {
        &self.url
    }

    /// How to connect to it.
    pub(crate) fn options(&self) -> Options<D> {
        self.client.driver.options_of_test(&self.name)
    }

    /// Opens a pool for the test that has it.
    pub(crate) async fn open(&self, timeouts: Timeouts) -> Result<DatabasePool, Error> {
        let permits = self.permits.as_ref();
        let connections = permits.map_or(1, ConnectionPermits::connections);
        let pool = self
            .client
            .open_pool(
                self.options(),
                connections,
                permits.is_some_and(ConnectionPermits::is_counted),
                timeouts.connection,
            )
            .await
            .map_err(|error| D::failed("the database of the test cannot be opened", error))?;
        Ok(DatabasePool::new(pool))
    }

    /// No other test gets the database: ends what this one has left outside of it.
    pub(crate) async fn end_prepared(&self) -> Result<(), Error> {
        let (client, name) = (Arc::clone(&self.client), self.name.clone());
        on_own_runtime(async move {
            let cannot =
                |error| D::failed("prepared transactions of the test cannot be ended", error);
            client.end_prepared(&name).await.map_err(cannot)
        })
        .await
    }

    /// Keeps the database for a person to look at. Only the latest `at_most` stay.
    pub(crate) async fn keep(mut self, at_most: usize) -> Result<(), Error> {
        let (client, name) = (Arc::clone(&self.client), mem::take(&mut self.name));
        let permits = self.permits.take();
        on_own_runtime(async move {
            let admin = &mut *client.admin().await;
            let kept = client.driver.keep(admin, &name, at_most).await;
            drop(permits);
            kept.map_err(|error| D::failed("the database of the test cannot be kept", error))
        })
        .await
    }
}

impl<D: ServerDriver> SlotStorage<D::Db> for DatabaseLease<D> {
    fn url(&self) -> Option<&DatabaseUrl> {
        Some(&self.url)
    }

    /// Whether its connections are among those that all processes count.
    fn may_idle(&self) -> bool {
        self.permits
            .as_ref()
            .is_some_and(ConnectionPermits::is_counted)
    }

    /// Dropped after this, the database is recycled by way of `pool`.
    fn park(&self, pool: &Pool<D>, monitor: &Arc<SandboxMonitor>) {
        self.client.parked.insert(&self.name, pool.clone(), monitor);
    }

    fn unpark(&self) {
        drop(self.client.parked.take(&self.name));
    }

    fn is_parked(&self) -> bool {
        self.client.parked.contains(&self.name)
    }

    fn look_after<'a>(&'a self, test: &'a str) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            if let Some(running) = self.client.driver.running() {
                let running = running.begin(test);
                server_wide::look_after(&self.client, test, running).await;
            }
        })
    }

    fn give_up(&self) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(self.end_prepared())
    }
}

impl<D: ServerDriver> Drop for DatabaseLease<D> {
    fn drop(&mut self) {
        let (client, name) = (Arc::clone(&self.client), mem::take(&mut self.name));
        let permits = self.permits.take();
        if name.is_empty() {
            return;
        }
        let parked = client.parked.take(&name);
        client.background.backlog.leave();
        spawn(async move {
            let guard = client.background.work_guard().await;
            let was_recycled = match parked {
                Some(parked) => recycle(&client, &name, parked).await,
                None => false,
            };
            if !was_recycled {
                // Of a test that was not waited for. What this does not end is ended when the database is dropped.
                let _ = client.end_prepared(&name).await;
                let mut admin = client.admin().await;
                // If this fails, the database is garbage once the process has gone.
                let _ = client.driver.mark_garbage(&mut admin, &name).await;
            }
            client.background.backlog.left(was_recycled);
            drop((permits, guard));
            if was_recycled {
                return;
            }
            if let Some(batch) = client.background.note_released() {
                reaper::reap(&client, batch).await;
            }
        });
    }
}

/// At the end of the process: recycles all that are parked.
pub(crate) async fn recycle_all<D: ServerDriver>(client: &ServerClient<D>) {
    for (name, parked) in client.parked.take_all() {
        recycle(client, &name, parked).await;
    }
}

/// Makes the database `name` ready for the sandbox of any process. `false` if it is to be dropped.
async fn recycle<D: ServerDriver>(
    client: &ServerClient<D>,
    name: &str,
    parked: Parked<Pool<D>>,
) -> bool {
    let ended = tokio::time::timeout(SESSION_END, D::end_session(&parked.pool)).await;
    // The pool hands out no connection from here on, and its hooks have seen all uses of it.
    drop(parked.pool.close());
    if !matches!(ended, Ok(Ok(()))) || !parked.monitor.is_spotless() {
        return false;
    }
    let mut admin = client.admin().await;
    let recycled = client.driver.recycle(&mut admin, name).await;
    recycled.unwrap_or(false)
}
