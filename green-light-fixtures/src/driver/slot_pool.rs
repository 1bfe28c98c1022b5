//! The pool of a slot: one kept connection, inside the outer transaction of a test.
//!
//! It is written once for all databases; [`Sandbox`] says what differs.

use std::{pin::pin, sync::Arc, time::Duration};

use green_light_core::Mutex;
use sqlx::{Database, Pool, pool::PoolOptions};
use tokio::time::timeout;

use crate::database_pool::BoxFuture;
use crate::database_pool::DatabasePool;
use crate::driver::checkout::CheckoutDecision;
use crate::driver::detached::{Detached, DetachedConnection};
use crate::driver::monitor::SandboxMonitor;
use crate::driver::outcome::FinishOutcome;
use crate::driver::pool_handles::{HANDLES_RETURNING, has_more_handles, keeps_more_handles};
use crate::driver::quiet::quietly;
use crate::driver::sandbox::{ConnectionOf, OptionsOf, Sandbox, depth};
use crate::driver::slot_finish::{self, Finish};
use crate::driver::traits::{IsHeld, OnShared, SlotDatabase, SlotStorage};
use crate::error::{Error, Kind};
use crate::url::DatabaseUrl;

/// How many handles to its pool a slot has.
const OWN_HANDLES: usize = 2;
/// Options of a pool that keeps its one connection, and with it the transaction of the test.
pub(crate) fn pool_options<DB: Database>(wait: Duration) -> PoolOptions<DB> {
    // No timer and no test may replace the connection.
    PoolOptions::new()
        .max_connections(1)
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
        .acquire_timeout(wait)
}

/// What it takes to open the pool of a slot, once for each test that must not have the pool of the test before.
#[derive(Debug)]
struct Connector<S: Sandbox> {
    sandbox: S,
    monitor: Arc<SandboxMonitor>,
    wait: Duration,
    detached: Detached<S::Db>,
}

impl<S: Sandbox> Connector<S> {
    /// A pool over the connection that was detached from the last one, or over a new one.
    async fn pool(self: &Arc<Self>) -> Result<Pool<S::Db>, Error> {
        if self.detached.0.lock().is_none() {
            let connection = self.sandbox.connect(self.wait).await;
            self.detached.put(connection.map_err(S::cannot_open)?, true);
        }
        let stand_in = self.sandbox.stand_in();
        let first = stand_in.unwrap_or_else(|| self.sandbox.options().clone());
        let pool = self.pool_options().connect_with(first).await;
        pool.map_err(S::cannot_open)
    }

    fn pool_options(self: &Arc<Self>) -> PoolOptions<S::Db> {
        let (connecting, acquiring, releasing) =
            (Arc::clone(self), Arc::clone(self), Arc::clone(self));
        pool_options(self.wait)
            .after_connect(move |connection, _| {
                let connector = Arc::clone(&connecting);
                Box::pin(async move { quietly(pin!(connector.connected(connection))).await })
            })
            .before_acquire(move |connection, _| {
                let is_ready = acquiring.acquired(connection);
                Box::pin(async move { Ok(is_ready) })
            })
            .after_release(move |connection, _| {
                let connector = Arc::clone(&releasing);
                Box::pin(async move { quietly(pin!(connector.released(connection))).await })
            })
    }

    /// The pool is about to hand out its kept connection. `false` if it has to be replaced.
    fn acquired(&self, connection: &mut ConnectionOf<S>) -> bool {
        let depth = depth::<S::Db>(connection);
        self.monitor.check_out(depth, S::BASE_DEPTH) == CheckoutDecision::Ready
    }

    /// The pool has connected to the stand-in.
    async fn connected(&self, connection: &mut ConnectionOf<S>) -> Result<(), sqlx::Error> {
        let detached = self.detached.0.lock().take();
        let mut is_new = true;
        if let Some(detached) = detached {
            DetachedConnection {
                connection: *connection,
                is_new,
            } = detached;
        } else if self.sandbox.stand_in().is_some() {
            *connection = self.sandbox.connect(self.wait).await?;
        }
        // An error here would make the pool try again until the wait is over; it is remembered
        // instead, and the slot is not used.
        let failure = match is_new {
            true => self.sandbox.begin(connection, &self.monitor).await.err(),
            false => None,
        };
        self.monitor
            .connected(failure.map(|error| error.to_string()));
        Ok(())
    }

    async fn released(&self, connection: &mut ConnectionOf<S>) -> Result<bool, sqlx::Error> {
        if self.monitor.handoff().was_returned() {
            return Ok(self.sandbox.after_finish(connection).await);
        }
        self.sandbox.after_use(connection, &self.monitor).await
    }
}

/// A slot's pool, and where its database is.
#[derive(Debug)]
struct SlotPool<S: Sandbox, T> {
    pool: Pool<S::Db>,
    /// The same.
    handle: DatabasePool,
    /// Where the pool connects to.
    options: Arc<OptionsOf<S>>,
    connector: Arc<Connector<S>>,
    /// Dropped after the pool has been closed.
    storage: T,
}

/// Opens the pool of a slot whose database is in `storage`.
pub(crate) async fn open<S: Sandbox>(
    sandbox: S,
    storage: impl SlotStorage<S::Db>,
    monitor: &Arc<SandboxMonitor>,
    wait: Duration,
) -> Result<Box<dyn SlotDatabase>, Error> {
    let connector = Arc::new(Connector {
        sandbox,
        monitor: Arc::clone(monitor),
        wait,
        detached: Detached(Mutex::default()),
    });
    let pool = connector.pool().await?;
    if let Some(failure) = monitor.failure() {
        return Err(S::cannot_begin().because(failure));
    }
    let learned = quietly(pin!(connector.sandbox.learn(&pool))).await;
    learned.map_err(S::cannot_open)?;
    Ok(Box::new(SlotPool {
        handle: DatabasePool::new(pool.clone()),
        options: pool.connect_options(),
        pool,
        connector,
        storage,
    }))
}

impl<S: Sandbox, T: SlotStorage<S::Db>> SlotPool<S, T> {
    /// Whether a test has made it another pool, or has closed it.
    fn is_changed(&self) -> bool {
        self.pool.is_closed() || !Arc::ptr_eq(&self.pool.connect_options(), &self.options)
    }

    /// Whether something else has the pool, whose connection no test has used since it was given back.
    async fn is_shared(&self) -> bool {
        // That may still be going on.
        let of_connection = match self.pool.num_idle() {
            0 => HANDLES_RETURNING,
            _ => 0,
        };
        self.is_changed() || keeps_more_handles(&self.pool, OWN_HANDLES + of_connection).await
    }

    fn is_held(&self) -> IsHeld {
        let pool = self.pool.clone();
        Box::new(move || has_more_handles(&pool, 1))
    }

    async fn finish_within(
        &self,
        grace: Duration,
        is_shared: bool,
        shared: OnShared<'_>,
    ) -> FinishOutcome {
        let Connector {
            sandbox,
            monitor,
            detached,
            ..
        } = &*self.connector;
        let is_changed = !is_shared && self.is_changed();
        if is_changed {
            shared(self.is_held());
        }
        let finish = Finish {
            pool: &self.pool,
            own_handles: OWN_HANDLES,
            sandbox,
            monitor,
            detached,
        };
        let finish = pin!(slot_finish::finish(finish, is_shared || is_changed, || {
            shared(self.is_held());
        }));
        let ended = timeout(grace, quietly(finish)).await;
        let ended = ended.unwrap_or(FinishOutcome::Held);
        if matches!(ended, FinishOutcome::Held) {
            shared(self.is_held());
            // If the server does not answer either, there is nothing more to be done about it.
            let _ = timeout(grace, sandbox.kill_sessions()).await;
        }
        ended
    }

    async fn replace_pool(&mut self) -> Result<(), Error> {
        self.close();
        self.pool = self.connector.pool().await?;
        self.handle = DatabasePool::new(self.pool.clone());
        self.options = self.pool.connect_options();
        match self.connector.monitor.failure() {
            None => Ok(()),
            Some(failure) => Err(Error::new(Kind::Connection, failure)),
        }
    }
}

impl<S: Sandbox, T: SlotStorage<S::Db>> SlotDatabase for SlotPool<S, T> {
    fn pool(&self) -> DatabasePool {
        self.handle.clone()
    }

    fn url(&self) -> Option<&DatabaseUrl> {
        self.storage.url()
    }

    fn guard_savepoint(&self) -> Option<Arc<str>> {
        self.connector.sandbox.guard_savepoint()
    }

    fn is_shielded(&self) -> bool {
        self.connector.sandbox.stand_in().is_some()
    }

    fn shared_pool(&self) -> BoxFuture<'_, Option<IsHeld>> {
        Box::pin(async { self.is_shared().await.then(|| self.is_held()) })
    }

    fn look_after<'a>(&'a self, test: &'a str) -> BoxFuture<'a, ()> {
        self.storage.look_after(test)
    }

    fn give_up(&self) -> BoxFuture<'_, Result<(), Error>> {
        self.close();
        self.storage.give_up()
    }

    fn finish<'a>(
        &'a self,
        grace: Duration,
        is_shared: bool,
        shared: OnShared<'a>,
    ) -> BoxFuture<'a, FinishOutcome> {
        Box::pin(self.finish_within(grace, is_shared, shared))
    }

    fn renew_pool(&mut self) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(self.replace_pool())
    }

    fn close(&self) {
        // Waiting for what this returns would mean waiting for a connection that is out.
        drop(self.pool.close());
    }

    fn may_idle(&self) -> bool {
        self.storage.may_idle()
    }

    fn park(&self) {
        self.storage.park(&self.pool, &self.connector.monitor);
    }

    fn unpark(&self) {
        self.storage.unpark();
    }

    fn is_parked(&self) -> bool {
        self.storage.is_parked()
    }
}
