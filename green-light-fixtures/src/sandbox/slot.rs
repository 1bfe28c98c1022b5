//! The kept connection: a pool of one over a database of its own.
//!
//! A slot that is dropped is thrown away: its pool gives out no connection any more, its running query is
//! interrupted, its file is removed. To keep it, put it back into its pool. There it is parked, and if it is
//! dropped then, its database on a server becomes ready for another process.

use std::sync::Arc;

use crate::driver::monitor::SandboxMonitor;
use crate::driver::traits::SlotDatabase;

#[derive(Debug)]
pub(crate) struct Slot {
    pub(crate) database: Box<dyn SlotDatabase>,
    pub(crate) monitor: Arc<SandboxMonitor>,
}

impl Slot {
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
