//! The kept connection: a pool of one over a database of its own.
//!
//! A slot that is dropped is thrown away: its pool refuses everyone, its running query is
//! interrupted, its file is removed. To keep it, put it back into its set. There it rests, and if it is
//! dropped then, its database on a server goes back into stock.

use std::sync::Arc;

use crate::driver::monitor::Guard;
use crate::driver::pool::Pool;
use crate::files::slot_file::SlotFile;
use crate::url::DatabaseUrl;

#[derive(Debug)]
pub(crate) struct Slot {
    pub(crate) pool: Pool,
    pub(crate) guard: Arc<Guard>,
    /// Dropped after the pool has been closed.
    pub(crate) home: SlotHome,
}

impl Slot {
    pub(crate) fn new(pool: Pool, guard: Arc<Guard>, home: SlotHome) -> Self {
        Self { pool, guard, home }
    }

    /// It waits for a test. If none comes, its database may be given back.
    pub(crate) fn rest(&self) {
        #[cfg(feature = "_server")]
        if !self.guard.is_spotless() {
            return;
        }
        match (&self.pool, &self.home) {
            #[cfg(feature = "postgres")]
            (Pool::Postgres { pool, .. }, SlotHome::Postgres(claim)) => {
                claim.rest(pool, &self.guard);
            }
            #[cfg(feature = "mysql")]
            (Pool::MySql { pool, .. }, SlotHome::MySql(claim)) => claim.rest(pool, &self.guard),
            #[cfg(any(feature = "sqlite", all(feature = "postgres", feature = "mysql")))]
            _ => {}
        }
    }

    /// A test has it.
    pub(crate) fn wake(&self) {
        match &self.home {
            #[cfg(feature = "sqlite")]
            SlotHome::Memory | SlotHome::File(_) => {}
            #[cfg(feature = "postgres")]
            SlotHome::Postgres(claim) => claim.wake(),
            #[cfg(feature = "mysql")]
            SlotHome::MySql(claim) => claim.wake(),
        }
    }

    /// Whether it may wait for another test: not if it has a connection that nobody counts.
    pub(crate) fn may_wait(&self) -> bool {
        match &self.home {
            #[cfg(feature = "sqlite")]
            SlotHome::Memory | SlotHome::File(_) => true,
            #[cfg(feature = "postgres")]
            SlotHome::Postgres(claim) => claim.is_counted(),
            #[cfg(feature = "mysql")]
            SlotHome::MySql(claim) => claim.is_counted(),
        }
    }

    /// Whether its database will be given back, by way of its pool.
    fn rests(&self) -> bool {
        match &self.home {
            #[cfg(feature = "sqlite")]
            SlotHome::Memory | SlotHome::File(_) => false,
            #[cfg(feature = "postgres")]
            SlotHome::Postgres(claim) => claim.rests(),
            #[cfg(feature = "mysql")]
            SlotHome::MySql(claim) => claim.rests(),
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.guard.kill();
        if !self.rests() {
            self.pool.close();
        }
    }
}

/// Where the database of a slot is; dropped, it is given back or removed.
#[derive(Debug)]
pub(crate) enum SlotHome {
    #[cfg(feature = "sqlite")]
    Memory,
    #[cfg(feature = "sqlite")]
    File(SlotFile),
    #[cfg(feature = "postgres")]
    Postgres(crate::postgres::database_lease::Claim),
    #[cfg(feature = "mysql")]
    MySql(crate::mysql::database_lease::Claim),
}

impl SlotHome {
    /// Where the database is, if it is a place of its own.
    pub(crate) fn url(&self) -> Option<&DatabaseUrl> {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Memory => None,
            #[cfg(feature = "sqlite")]
            Self::File(file) => Some(file.url()),
            #[cfg(feature = "postgres")]
            Self::Postgres(claim) => Some(claim.url()),
            #[cfg(feature = "mysql")]
            Self::MySql(claim) => Some(claim.url()),
        }
    }
}
