//! The connection of a slot, between the pool of one test and the pool of the next.
//!
//! A clone of a pool may outlive its test: in a task that was not joined, in an application's `static`.
//! So a test of whose pool others have a clone is followed by one with another pool. The connection moves on, with
//! the transaction that has been begun for the next test: it is detached from the old pool, which is
//! closed, and put in place of the connection that the new pool opens. That one goes to a
//! stand-in (`stand_in.rs`, or a database in memory), which answers at once.

use std::fmt;

use green_light_core::Mutex;
use sqlx::Database;

/// A connection without a pool.
pub(crate) struct DetachedConnection<DB: Database> {
    pub(crate) connection: DB::Connection,
    /// Whether the transaction of a test has not been begun on it.
    pub(crate) is_new: bool,
}

/// Where a slot keeps one between two pools.
pub(crate) struct Detached<DB: Database>(pub(crate) Mutex<Option<DetachedConnection<DB>>>);

impl<DB: Database> Detached<DB> {
    pub(crate) fn put(&self, connection: DB::Connection, is_new: bool) {
        *self.0.lock() = Some(DetachedConnection { connection, is_new });
    }
}

impl<DB: Database> fmt::Debug for Detached<DB> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_empty = self.0.lock().is_none();
        f.debug_struct("Detached")
            .field("is_empty", &is_empty)
            .finish()
    }
}
