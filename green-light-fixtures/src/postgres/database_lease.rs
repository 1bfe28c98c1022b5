//! A database in the hands of a test, and what becomes of it.

use std::sync::Arc;

use sqlx::{
    PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};

use crate::database_pool::DatabasePool;
use crate::driver::monitor::SandboxMonitor;
use crate::error::Error;
use crate::limits::Timeouts;
use crate::postgres::admin::AdminConnection;
use crate::postgres::client::Office;
use crate::postgres::errors::failed;
use crate::postgres::{reaper, recycle};
use crate::server::background::{on_own_runtime, spawn};
use crate::server::connection_budget::Permits;
use crate::server::query_ext::QueryExt as _;
use crate::url::DatabaseUrl;

/// A database in the hands of a test.
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

    pub(crate) fn url(&self) -> &DatabaseUrl {
        &self.url
    }

    /// How to connect to it.
    pub(crate) fn options(&self) -> PgConnectOptions {
        self.office.options_of(&self.name)
    }

    /// Opens a pool for the test that has it.
    pub(crate) async fn open(&self, waits: Timeouts) -> Result<DatabasePool, Error> {
        let pool = PgPoolOptions::new()
            .max_connections(self.permits.as_ref().map_or(1, Permits::connections))
            .acquire_timeout(waits.connection)
            .connect_with(self.options())
            .await
            .map_err(|error| failed("the database of the test cannot be opened", error))?;
        Ok(DatabasePool::new(pool))
    }

    /// No test of this process has it. Dropped now, it goes back into stock by way of `pool`.
    pub(crate) fn rest(&self, pool: &PgPool, guard: &Arc<SandboxMonitor>) {
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
}

impl Claim {
    /// Keeps the database for somebody to look at, as one of `at_most` so many of this role.
    pub(crate) async fn keep(mut self, at_most: usize) -> Result<(), Error> {
        let (office, name) = (Arc::clone(&self.office), std::mem::take(&mut self.name));
        let permits = self.permits.take();
        on_own_runtime(async move {
            let mut front = office.front().await;
            let kept = sqlx::query(
                "WITH now AS (UPDATE green_light.database SET state = 'kept', owner = NULL, \
                   since = clock_timestamp() WHERE name = $1), \
                 old AS (SELECT name FROM green_light.database WHERE state = 'kept' AND name <> $1 \
                   ORDER BY since DESC OFFSET $2) \
                 UPDATE green_light.database SET state = 'done' WHERE name IN (SELECT name FROM old)",
            )
            .bind(name)
            .bind(i64::try_from(at_most).unwrap_or(i64::MAX) - 1)
            .execute_with(&mut *front)
            .await;
            drop(permits);
            kept.map(drop)
                .map_err(|error| failed("the database of the test cannot be kept", error))
        })
        .await
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        let (office, name) = (Arc::clone(&self.office), std::mem::take(&mut self.name));
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
            let mut front = office.front().await;
            // If this fails, the database is a leftover once the process has gone.
            let _ = sqlx::query("UPDATE green_light.database SET state = 'done' WHERE name = $1")
                .bind(&name)
                .execute_with(&mut *front)
                .await;
            drop(front);
            office.background.backlog.entered();
            drop((permits, busy));
            if let Some(batch) = office.background.is_done_with_one() {
                reaper::sweep(&office, batch).await;
            }
        });
    }
}
