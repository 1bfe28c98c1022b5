//! The slots of one engine: those that wait for a test, and how many there have been.
//!
//! There are as many slots as tests have run at the same time, never more.

use std::sync::{
    Arc, Weak,
    atomic::{AtomicU64, Ordering},
};

use green_light_core::Mutex;

use crate::driver::lease_notes::LeaseNotes;
use crate::driver::monitor::SandboxMonitor;
use crate::driver::traits::Template;
use crate::error::Error;
use crate::limits::Timeouts;
use crate::sandbox::slot::Slot;
use crate::test_id::TestId;

/// The pools of this process whose slots need a connection of a server each.
static ON_SERVERS: Mutex<Vec<Weak<SandboxPool>>> = Mutex::new(Vec::new());

/// Throws away the slots of this process that wait for a test and have a connection of a server meanwhile.
///
/// For a test that waits for connections: others may be waiting for those.
pub(crate) fn evict_idle() {
    let pools = ON_SERVERS.lock().clone();
    for pool in pools.iter().filter_map(Weak::upgrade) {
        pool.clear();
    }
}

#[derive(Debug)]
pub(crate) struct SandboxPool {
    template: Arc<dyn Template>,
    timeouts: Timeouts,
    idle: Mutex<Vec<Slot>>,
    opened: AtomicU64,
    discarded: AtomicU64,
    leases: AtomicU64,
    ended: AtomicU64,
}

/// What has happened in a pool so far.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Counts {
    pub(crate) idle: usize,
    pub(crate) opened: u64,
    pub(crate) discarded: u64,
    pub(crate) leases: u64,
    pub(crate) ended: u64,
}

impl SandboxPool {
    pub(crate) fn new(template: Arc<dyn Template>, timeouts: Timeouts) -> Arc<Self> {
        let is_on_server = template.on_shortage(evict_idle);
        let pool = Arc::new(Self {
            template,
            timeouts,
            idle: Mutex::default(),
            opened: AtomicU64::new(0),
            discarded: AtomicU64::new(0),
            leases: AtomicU64::new(0),
            ended: AtomicU64::new(0),
        });
        if is_on_server {
            let mut pools = ON_SERVERS.lock();
            pools.retain(|pool| pool.strong_count() > 0);
            pools.push(Arc::downgrade(&pool));
        }
        pool
    }

    pub(crate) fn template(&self) -> &dyn Template {
        &*self.template
    }

    pub(crate) fn timeouts(&self) -> Timeouts {
        self.timeouts
    }

    pub(crate) fn counts(&self) -> Counts {
        Counts {
            idle: self.idle.lock().len(),
            opened: self.opened.load(Ordering::Relaxed),
            discarded: self.discarded.load(Ordering::Relaxed),
            leases: self.leases.load(Ordering::Relaxed),
            ended: self.ended.load(Ordering::Relaxed),
        }
    }

    /// The number of the next lease.
    pub(crate) fn next_lease(&self) -> u64 {
        self.leases.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// A slot for lease `id` of `test`: one that is idle, or a new one.
    pub(crate) async fn acquire(
        &self,
        id: u64,
        test: &TestId,
        notes: &Arc<LeaseNotes>,
    ) -> Result<Slot, Error> {
        loop {
            let idle = self.idle.lock().pop();
            let slot = match idle {
                Some(slot) => slot,
                None => self.open(test).await?,
            };
            slot.database.unpark();
            if slot.monitor.open(id, Arc::clone(notes)) {
                return Ok(slot);
            }
            // Something used it while it was idle, so it may be used again: not by a test.
            self.discard(slot);
        }
    }

    async fn open(&self, test: &TestId) -> Result<Slot, Error> {
        let number = self.opened.fetch_add(1, Ordering::Relaxed) + 1;
        let monitor = Arc::new(SandboxMonitor::new(self.template.dialect()));
        let database = self
            .template
            .open_slot(number, &test.path, &monitor, self.timeouts.connection)
            .await?;
        Ok(Slot { database, monitor })
    }

    /// Takes a slot back from a test that has ended well. `token` is that of its pool, if the test had
    /// the same one.
    pub(crate) fn give_back(&self, slot: Slot, token: Option<&Weak<()>>) {
        // A pool that is still held by something could be used while a later test runs.
        let is_held = token.is_some_and(|token| token.strong_count() > 0);
        if is_held || !slot.database.may_idle() {
            return self.discard_lent(slot);
        }
        self.ended.fetch_add(1, Ordering::Relaxed);
        slot.park();
        self.idle.lock().push(slot);
    }

    /// Throws away a slot of a test that has ended.
    pub(crate) fn discard_lent(&self, slot: Slot) {
        self.ended.fetch_add(1, Ordering::Relaxed);
        self.discard(slot);
    }

    fn discard(&self, slot: Slot) {
        self.discarded.fetch_add(1, Ordering::Relaxed);
        drop(slot);
    }

    /// Throws away the slots that wait for a test.
    pub(crate) fn clear(&self) {
        let idle = std::mem::take(&mut *self.idle.lock());
        drop(idle);
    }
}
