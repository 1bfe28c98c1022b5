//! The kept connection: a pool of one over a database of its own.
//!
//! A slot that is dropped is thrown away: its pool refuses everyone, its running query is
//! interrupted, its file is removed. To keep it, put it back into its set.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use super::guard::Guard;
use crate::backend::Pool;
#[cfg(feature = "mysql")]
use crate::mysql;
#[cfg(feature = "postgres")]
use crate::postgres;
use crate::url::DatabaseUrl;

#[derive(Debug)]
pub(crate) struct Slot {
    pub(super) pool: Pool,
    pub(super) guard: Arc<Guard>,
    /// Dropped after the pool has been closed.
    pub(super) home: SlotHome,
}

impl Slot {
    pub(super) fn new(pool: Pool, guard: Arc<Guard>, home: SlotHome) -> Self {
        Self { pool, guard, home }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.guard.kill();
        self.pool.close();
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
    Postgres(postgres::Claim),
    #[cfg(feature = "mysql")]
    MySql(mysql::Claim),
}

impl SlotHome {
    /// Where the database is, if it is a place of its own.
    pub(super) fn url(&self) -> Option<&DatabaseUrl> {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Memory => None,
            #[cfg(feature = "sqlite")]
            Self::File(file) => Some(&file.url),
            #[cfg(feature = "postgres")]
            Self::Postgres(claim) => Some(claim.url()),
            #[cfg(feature = "mysql")]
            Self::MySql(claim) => Some(claim.url()),
        }
    }
}

/// A database file that lives as long as its slot.
#[derive(Debug)]
pub(crate) struct SlotFile {
    path: PathBuf,
    url: DatabaseUrl,
}

impl SlotFile {
    pub(crate) fn new(path: PathBuf) -> Self {
        let url = DatabaseUrl::of_file(&path);
        Self { path, url }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for SlotFile {
    fn drop(&mut self) {
        // A leaked connection may still have it open, which some systems do not allow; the
        // directory is swept as a whole later.
        let _ = std::fs::remove_file(&self.path);
    }
}
