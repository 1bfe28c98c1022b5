//! The kept connection: a pool of one over a database of its own.
//!
//! A slot that is dropped is thrown away: its pool refuses everyone, its running query is
//! interrupted, its file is removed. To keep it, put it back into its set. There it rests, and if it is
//! dropped then, its database on a server goes back into stock.

use std::sync::Arc;

use crate::driver::monitor::SandboxMonitor;
use crate::driver::traits::SlotDatabase;

#[derive(Debug)]
pub(crate) struct Slot {
    pub(crate) database: Box<dyn SlotDatabase>,
    pub(crate) monitor: Arc<SandboxMonitor>,
}

impl Slot {
    pub(crate) fn new(database: Box<dyn SlotDatabase>, monitor: Arc<SandboxMonitor>) -> Self {
        Self { database, monitor }
    }

    /// It waits for a test. If none comes, its database may be given to another process.
    pub(crate) fn park(&self) {
        if self.monitor.is_spotless() {
            self.database.park();
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.monitor.kill();
        if !self.database.is_parked() {
            self.database.close();
        }
    }
}
