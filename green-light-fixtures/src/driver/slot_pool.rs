//! The pool of a slot: one kept connection, inside the outer transaction of a test.
//!
//! It is written once for all databases; [`Sandbox`] says what differs.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use green_light_core::Mutex;
use sqlx::{Database, Pool, pool::PoolOptions};
use tokio::{sync::Notify, time::timeout};

use crate::database_pool::BoxFuture;
use crate::database_pool::DatabasePool;
use crate::driver::checkout::CheckoutDecision;
use crate::driver::detached::{Detached, DetachedConnection};
use crate::driver::monitor::SandboxMonitor;
use crate::driver::outcome::FinishOutcome;
use crate::driver::pool_handles::handles;
use crate::driver::quiet::quietly;
use crate::driver::sandbox::{ConnectionOf, OptionsOf, Sandbox, depth};
use crate::driver::slot_finish;
use crate::driver::traits::{IsHeld, SlotDatabase, SlotStorage};
use crate::error::{Error, Kind};
use crate::url::DatabaseUrl;

/// How many handles to its pool a slot has.
const OWN_HANDLES: usize = 2;
/// How many a connection has that is in use.
const HANDLES_IN_USE: usize = 1;
/// How many it has on its way back to the pool, where sqlx runs `after_release`.
const HANDLES_RETURNING: usize = 2;
/// How long a connection that has come back may still have a handle.
const SETTLING: Duration = Duration::from_micros(200);
/// How long a connection that was given back may seem to be in use with one more handle: until sqlx runs `after_release`.
const RETURNING: Duration = Duration::from_millis(5);
/// How long it is looked for again and again, which is quicker than to sleep and be woken.
const PROMPT_RETURN: Duration = Duration::from_micros(60);

/// Counts the beginnings and ends of uses of the one connection. It is odd while the connection is in use.
#[derive(Debug, Default)]
struct Uses {
    count: AtomicUsize,
    ended: Notify,
}

impl Uses {
    fn begin(&self) {
        self.advance(1);
    }

    fn end(&self) {
        self.advance(0);
        self.ended.notify_waiters();
    }

    /// Waits until the connection is in no use.
    async fn end_of_use(&self) {
        let ended = self.ended.notified();
        if self.count() % 2 == 1 {
            ended.await;
        }
    }

    /// To the next number with this remainder: a connection that was closed in use has no end.
    fn advance(&self, remainder: usize) {
        let next = |count: usize| count + 2 - usize::from(count % 2 != remainder);
        let _ = self
            .count
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |count| {
                Some(next(count))
            });
    }

    fn count(&self) -> usize {
        self.count.load(Ordering::Acquire)
    }
}

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
    uses: Uses,
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
                Box::pin(async move { quietly(connector.connected(connection)).await })
            })
            .before_acquire(move |connection, _| {
                let is_ready = acquiring.acquired(connection);
                Box::pin(async move { Ok(is_ready) })
            })
            .after_release(move |connection, _| {
                let connector = Arc::clone(&releasing);
                Box::pin(async move { quietly(connector.released(connection)).await })
            })
    }

    /// The pool is about to hand out its kept connection. `false` if it has to be replaced.
    fn acquired(&self, connection: &mut ConnectionOf<S>) -> bool {
        self.uses.begin();
        let depth = depth::<S::Db>(connection);
        self.monitor.check_out(depth, S::BASE_DEPTH) == CheckoutDecision::Ready
    }

    /// The pool has connected to the stand-in.
    async fn connected(&self, connection: &mut ConnectionOf<S>) -> Result<(), sqlx::Error> {
        self.uses.begin();
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
        self.uses.end();
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
        uses: Uses::default(),
    });
    let pool = connector.pool().await?;
    if let Some(failure) = monitor.failure() {
        return Err(S::cannot_begin().because(failure));
    }
    let learned = quietly(connector.sandbox.learn(&pool)).await;
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
    /// The number of uses of the connection so far, and how many handles it has itself. It can be made into no other.
    fn handles_of_connection(&self) -> (usize, usize) {
        let uses = self.connector.uses.count();
        let handles = match self.pool.num_idle() {
            0 if uses % 2 == 1 => HANDLES_IN_USE,
            0 => HANDLES_RETURNING,
            _ => 0,
        };
        (uses, handles)
    }

    /// `true` if it cannot be said because the connection moves meanwhile.
    fn has_other_handles(&self) -> bool {
        let of_connection = self.handles_of_connection();
        let all = handles(&self.pool);
        of_connection != self.handles_of_connection()
            || all.is_none_or(|all| all > OWN_HANDLES + of_connection.1)
    }

    /// Whether the one handle too many may be that of a connection that was just given back.
    fn may_be_returning(&self) -> bool {
        self.has_other_handles() && self.handles_of_connection().1 == HANDLES_IN_USE
    }

    async fn is_shared(&self) -> bool {
        if self.pool.is_closed() || !Arc::ptr_eq(&self.pool.connect_options(), &self.options) {
            return true;
        }
        let begun = Instant::now();
        while self.may_be_returning() && begun.elapsed() < PROMPT_RETURN {
            tokio::task::yield_now().await;
        }
        if self.may_be_returning() {
            // If it is not given back, something has kept it.
            let _ = timeout(RETURNING, self.connector.uses.end_of_use()).await;
        }
        let begun = Instant::now();
        while self.has_other_handles() {
            if begun.elapsed() > SETTLING {
                return true;
            }
            tokio::task::yield_now().await;
        }
        false
    }

    async fn finish_within(&self, grace: Duration, detaches: bool) -> FinishOutcome {
        let Connector {
            sandbox,
            monitor,
            detached,
            ..
        } = &*self.connector;
        let detached = detaches.then_some(detached);
        let finish = quietly(slot_finish::finish(&self.pool, sandbox, monitor, detached));
        let ended = timeout(grace, finish).await;
        let ended = ended.unwrap_or(FinishOutcome::Held);
        if matches!(ended, FinishOutcome::Held) {
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
        Box::pin(async {
            if !self.is_shared().await {
                return None;
            }
            let pool = self.pool.clone();
            let is_held: IsHeld =
                Box::new(move || handles(&pool).is_some_and(|handles| handles > 1));
            Some(is_held)
        })
    }

    fn look_after<'a>(&'a self, test: &'a str) -> BoxFuture<'a, ()> {
        self.storage.look_after(test)
    }

    fn give_up(&self) -> BoxFuture<'_, Result<(), Error>> {
        self.close();
        self.storage.give_up()
    }

    fn finish(&self, grace: Duration, detaches: bool) -> BoxFuture<'_, FinishOutcome> {
        Box::pin(self.finish_within(grace, detaches))
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
