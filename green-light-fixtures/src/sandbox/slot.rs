//! The kept connection: a pool of one over a database of its own.
//!
//! A slot that is dropped is thrown away: its pool refuses everyone, its running query is
//! interrupted, its file is removed. To keep it, put it back into its set.

use std::{path::PathBuf, sync::Arc};

use super::guard::Guard;
use crate::backend::Pool;

#[derive(Debug)]
pub(crate) struct Slot {
    pub(super) pool: Pool,
    pub(super) guard: Arc<Guard>,
    /// Dropped after the pool has been closed.
    _file: Option<SlotFile>,
}

impl Slot {
    pub(super) fn new(pool: Pool, guard: Arc<Guard>, file: Option<SlotFile>) -> Self {
        Self {
            pool,
            guard,
            _file: file,
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.guard.kill();
        self.pool.close();
    }
}

/// A database file that lives as long as its slot.
#[derive(Debug)]
pub(crate) struct SlotFile(pub(crate) PathBuf);

impl Drop for SlotFile {
    fn drop(&mut self) {
        // A leaked connection may still have it open, which some systems do not allow; the
        // directory is swept as a whole later.
        let _ = std::fs::remove_file(&self.0);
    }
}
