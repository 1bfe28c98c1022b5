//! The connection of a slot, on its way from the pool of one test to the pool of the next.
//!
//! A clone of a pool may outlive its test: in a task that was not joined, in an application's `static`.
//! So a test that was given a pool is followed by one with another pool. The connection moves on, with
//! the transaction that has been begun for the next test: it is taken out of the old pool, which is
//! closed, and put in place of the connection that the new pool opens. That one goes to a
//! stand-in (`stand_in.rs`, or a database in memory), which answers at once.

use std::{
    fmt,
    sync::Arc,
    time::{Duration, Instant},
};

use green_light_core::Mutex;
use sqlx::{ConnectOptions as _, Connection, Database, Error};

/// The first pause between two attempts to connect.
const PAUSE: Duration = Duration::from_millis(10);

/// A connection without a pool, if there is one.
pub(crate) struct Handover<DB: Database>(Arc<Mutex<Option<Kept<DB>>>>);

pub(crate) struct Kept<DB: Database> {
    pub(crate) connection: DB::Connection,
    /// Whether the transaction of a test has not been begun on it.
    pub(crate) is_new: bool,
}

impl<DB: Database> Handover<DB> {
    pub(crate) fn put(&self, connection: DB::Connection, is_new: bool) {
        *self.0.lock() = Some(Kept { connection, is_new });
    }

    pub(crate) fn take(&self) -> Option<Kept<DB>> {
        self.0.lock().take()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.lock().is_none()
    }
}

impl<DB: Database> Default for Handover<DB> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<DB: Database> Clone for Handover<DB> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<DB: Database> fmt::Debug for Handover<DB> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_empty = self.is_empty();
        f.debug_struct("Handover")
            .field("is_empty", &is_empty)
            .finish()
    }
}

/// Connects as a pool does: tries again for `wait` while the server starts or has no room.
pub(crate) async fn connect<C: Connection>(options: &C::Options, wait: Duration) -> Result<C, Error>
where
    C::Options: sqlx::ConnectOptions<Connection = C>,
{
    let started = Instant::now();
    let mut pause = PAUSE;
    loop {
        let left = wait.saturating_sub(started.elapsed());
        match tokio::time::timeout(left, options.connect()).await {
            Ok(Err(Error::Io(error))) if error.kind() == std::io::ErrorKind::ConnectionRefused => {}
            Ok(Err(Error::Database(error))) if error.is_transient_in_connect_phase() => {}
            Ok(connected) => return connected,
            Err(_) => return Err(Error::PoolTimedOut),
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(wait / 5);
    }
}
