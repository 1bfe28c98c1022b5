//! A database in the hands of a test or a slot, and what becomes of it.

use std::{mem, sync::Arc};

use sqlx::{
    MySqlConnection, MySqlPool,
    mysql::{MySqlConnectOptions, MySqlPoolOptions},
};

use crate::database_pool::DatabasePool;
use crate::driver::monitor::SandboxMonitor;
use crate::error::Error;
use crate::limits::Timeouts;
use crate::mysql::admin::AdminConnection;
use crate::mysql::client::Office;
use crate::mysql::errors::failed;
use crate::mysql::{reaper, recycle, registry};
use crate::server::admin_connection::when_free;
use crate::server::background::{on_own_runtime, spawn};
use crate::server::connection_budget::Permits;
use crate::url::DatabaseUrl;

/// A database in the hands of a test or a slot.
#[derive(Debug)]
pub(crate) struct Claim {
    office: Arc<Office>,
    /// Empty once it is kept.
    name: String,
    url: DatabaseUrl,
    /// Given back after the database is done with.
    permits: Option<Permits<AdminConnection>>,
}

impl Claim {
    pub(crate) fn new(
        office: Arc<Office>,
        name: String,
        permits: Permits<AdminConnection>,
    ) -> Self {
        Self {
            url: office.url_of(&name),
            office,
            name,
            permits: Some(permits),
        }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn url(&self) -> &DatabaseUrl {
        &self.url
    }

    /// How to connect to it.
    pub(crate) fn options(&self) -> MySqlConnectOptions {
        self.office.options_of(&self.name)
    }

    /// Opens a pool for the test that has it.
    pub(crate) async fn open(&self, waits: Timeouts) -> Result<DatabasePool, Error> {
        let pool = MySqlPoolOptions::new()
            .max_connections(self.permits.as_ref().map_or(1, Permits::connections))
            .acquire_timeout(waits.connection);
        let pool = when_free::<MySqlConnection, _, _>(|| pool.clone().connect_with(self.options()))
            .await
            .map_err(|error| failed("the database of the test cannot be opened", error))?;
        Ok(DatabasePool::new(pool))
    }

    /// No test of this process has it. Dropped now, it goes back into stock once `pool` is closed.
    pub(crate) fn rest(&self, pool: &MySqlPool, guard: &Arc<SandboxMonitor>) {
        self.office.resting.lay(&self.name, pool.clone(), guard);
    }

    /// A test of this process has it.
    pub(crate) fn wake(&self) {
        drop(self.office.resting.take(&self.name));
    }

    /// Whether its connections are among those that all processes count.
    pub(crate) fn is_counted(&self) -> bool {
        self.permits.as_ref().is_some_and(Permits::is_counted)
    }

    pub(crate) fn rests(&self) -> bool {
        self.office.resting.has(&self.name)
    }

    /// Keeps the database for somebody to look at, as one of `at_most` so many.
    pub(crate) async fn keep(mut self, at_most: usize) -> Result<(), Error> {
        let (office, name) = (Arc::clone(&self.office), mem::take(&mut self.name));
        let permits = self.permits.take();
        on_own_runtime(async move {
            let kept = keep(&mut *office.front().await, &name, at_most).await;
            drop(permits);
            kept.map_err(|error| failed("the database of the test cannot be kept", error))
        })
        .await
    }
}

/// Keeps `name`. Of those that were kept before it, all but the latest are done with.
async fn keep(front: &mut AdminConnection, name: &str, at_most: usize) -> Result<(), sqlx::Error> {
    registry::becomes(front, name, "kept").await?;
    let kept = "SELECT name FROM green_light.test_databases WHERE state = 'kept' \
                ORDER BY since DESC, number DESC";
    let kept = registry::names(front, kept.to_owned()).await?;
    for old in kept.iter().filter(|old| *old != name).skip(at_most - 1) {
        registry::becomes(front, old, "done").await?;
    }
    Ok(())
}

impl Drop for Claim {
    fn drop(&mut self) {
        let (office, name) = (Arc::clone(&self.office), mem::take(&mut self.name));
        let permits = self.permits.take();
        if name.is_empty() {
            return;
        }
        let rested = office.resting.take(&name);
        office.background.backlog.leave();
        spawn(async move {
            let busy = office.background.busy().await;
            if let Some(rested) = rested
                && recycle::give(&office, &name, rested).await
            {
                office.background.backlog.returned();
                drop((permits, busy));
                return;
            }
            // If this fails, the database is a leftover once the process has gone.
            let _ = registry::becomes(&mut *office.front().await, &name, "done").await;
            office.background.backlog.entered();
            drop((permits, busy));
            if let Some(batch) = office.background.is_done_with_one() {
                reaper::sweep(&office, batch).await;
            }
        });
    }
}
