//! A slot in the hands of one test, from its first query to its rollback.
//!
//! Invariants:
//! * A lease ends once; ending it again is a no-op.
//! * Ending reports what the test did, even if the slot is beyond repair.
//! * A lease that is dropped without being ended takes its slot with it: nothing is kept.

use std::sync::{
    Arc, Weak,
    atomic::{AtomicBool, Ordering},
};

use green_light_core::{Mutex, left_behind};

use crate::driver::lease_state::LeaseState;
use crate::driver::monitor::SandboxMonitor;
use crate::driver::outcome::FinishOutcome;
use crate::driver::traits::SlotDatabase;
use crate::error::{Error, Kind};
use crate::limits::Timeouts;
use crate::sandbox::pool::SandboxPool;
use crate::sandbox::slot::Slot;
#[cfg(feature = "_server")]
use crate::server::connection_budget::ConnectionHolder;
use crate::test_id::TestId;
use crate::url::DatabaseUrl;

#[derive(Debug)]
pub(crate) struct Lease {
    set: Arc<SandboxPool>,
    slot: Mutex<Option<Slot>>,
    monitor: Arc<SandboxMonitor>,
    id: u64,
    /// Lives while any clone of the test's connection does; the lease's own part ends with it.
    token: Mutex<Option<Arc<()>>>,
    test: TestId,
    deadlocked: Arc<AtomicBool>,
    /// On a server, where its connection is one of few.
    #[cfg(feature = "_server")]
    holding: Mutex<Option<ConnectionHolder>>,
}

impl Lease {
    /// Lends a slot of `set` to `test`.
    pub(crate) async fn of(set: &Arc<SandboxPool>, test: TestId) -> Result<Self, Error> {
        let id = set.next_lease();
        let deadlocked = Arc::new(AtomicBool::new(false));
        let slot = set.acquire(id, &test, &deadlocked).await?;
        let monitor = Arc::clone(&slot.monitor);
        #[cfg(feature = "_server")]
        let holding = set
            .template()
            .counts_connections()
            .then(|| ConnectionHolder::new(&test.path));
        Ok(Self {
            set: Arc::clone(set),
            slot: Mutex::new(Some(slot)),
            monitor,
            id,
            token: Mutex::new(Some(Arc::default())),
            test,
            deadlocked,
            #[cfg(feature = "_server")]
            holding: Mutex::new(holding),
        })
    }

    pub(crate) fn id(&self) -> u64 {
        self.id
    }

    /// To be held by every connection of the test; none once the lease has ended.
    pub(crate) fn token(&self) -> Option<Arc<()>> {
        self.token.lock().clone()
    }

    /// The test it was lent to.
    pub(crate) fn test(&self) -> &str {
        self.test.name()
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.with_database(|_| ()).is_none()
    }

    pub(crate) fn monitor(&self) -> &Arc<SandboxMonitor> {
        &self.monitor
    }

    pub(crate) fn waits(&self) -> Timeouts {
        self.set.waits()
    }

    /// Where its database is, if it is a place of its own.
    pub(crate) fn url(&self) -> Option<DatabaseUrl> {
        let slot = self.slot.lock();
        slot.as_ref().and_then(|slot| slot.database.url()).cloned()
    }

    /// Looks at the database, if the lease has not ended.
    pub(crate) fn with_database<T>(&self, look: impl FnOnce(&dyn SlotDatabase) -> T) -> Option<T> {
        let slot = self.slot.lock();
        slot.as_ref().map(|slot| look(&*slot.database))
    }

    /// Takes the slot out of the lease, which then has ended.
    ///
    /// Dropping what is returned throws the slot away.
    pub(crate) fn take(&self) -> Option<Returning> {
        let slot = self.slot.lock().take()?;
        let token = self.token.lock().take()?;
        #[cfg(feature = "_server")]
        drop(self.holding.lock().take());
        Some(Returning {
            slot: Some(slot),
            set: Arc::clone(&self.set),
            token: Arc::downgrade(&token),
        })
    }

    /// Whether the database has rolled back the test's transaction to break a deadlock.
    ///
    /// It is known once the connection has come back, at the latest when the lease has ended.
    pub(crate) fn was_deadlocked(&self) -> bool {
        self.deadlocked.load(Ordering::Relaxed)
    }

    /// What to know if the server was started by green-light and has ended.
    pub(crate) fn server_end(&self) -> Option<String> {
        self.set.template().server_end()
    }

    /// What ended the transaction of the test before the test did, in words, if anything has.
    pub(crate) fn ended_early(&self) -> Option<String> {
        self.monitor.ended_early()
    }

    /// Whether the test asked where its database is.
    pub(crate) fn was_url_asked_for(&self) -> bool {
        self.monitor.was_url_asked_for()
    }

    /// What to know if the test failed because its connection was taken.
    pub(crate) fn contention(&self) -> Option<String> {
        self.monitor.contention(self.set.waits().connection)
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        drop(self.take());
    }
}

/// A slot on its way from a test to the set, or out.
#[derive(Debug)]
#[must_use = "dropping it throws the slot away"]
pub(crate) struct Returning {
    /// Empty once the slot has been put back.
    slot: Option<Slot>,
    set: Arc<SandboxPool>,
    token: Weak<()>,
}

impl Returning {
    /// Rolls back, checks, reports, and gives the slot back or throws it away.
    pub(crate) async fn end(mut self) -> Result<(), Error> {
        let waits = self.set.waits();
        let Some(slot) = &self.slot else {
            return Ok(());
        };
        // Something may still have the pool when a later test runs, which then gets another one.
        let hands_over = slot.monitor.has_raw_pool() || self.token.strong_count() > 0;
        // Before the pool is closed: from then on, what still has it may panic.
        if self.token.strong_count() > 0
            && let Some(lease) = &slot.monitor.state().lease
        {
            let token = Weak::clone(&self.token);
            left_behind(lease.test.name(), move || token.strong_count() > 0);
        }
        let ended = if slot.monitor.is_untouched() && !hands_over {
            FinishOutcome::Clean
        } else {
            slot.database.finish(waits.teardown, hands_over).await
        };
        let holder = slot.monitor.holder();
        let Some(lease) = slot.monitor.close() else {
            return Ok(());
        };
        let is_unharmed = matches!(ended, FinishOutcome::Clean | FinishOutcome::Worn)
            && lease.breaches.is_empty()
            && !lease.strangers;
        let needs_pool = hands_over || matches!(ended, FinishOutcome::Worn);
        let is_reusable = is_unharmed && (!needs_pool || self.renew().await);
        if is_reusable && let Some(slot) = self.slot.take() {
            let token = (!needs_pool).then_some(&self.token);
            self.set.give_back(slot, token);
        }
        let failed = matches!(ended, FinishOutcome::Held | FinishOutcome::Failed(_));
        let server_end = failed.then(|| self.set.template().server_end()).flatten();
        report(lease, ended, holder, waits, server_end.as_deref())
    }
}

impl Returning {
    /// Gives the slot another pool. `false` if that cannot be done.
    async fn renew(&mut self) -> bool {
        let Some(slot) = &mut self.slot else {
            return false;
        };
        slot.database.renew_pool().await.is_ok()
    }
}

impl Drop for Returning {
    fn drop(&mut self) {
        if let Some(slot) = self.slot.take() {
            self.set.discard_lent(slot);
        }
    }
}

/// The first thing that went wrong; the others are told in its text.
fn report(
    lease: LeaseState,
    ended: FinishOutcome,
    holder: Option<String>,
    waits: Timeouts,
    server_end: Option<&str>,
) -> Result<(), Error> {
    let test = lease.test;
    let mut errors: Vec<_> = lease
        .breaches
        .into_iter()
        .map(|record| record.into_error(test.name()))
        .collect();
    match ended {
        FinishOutcome::Clean
        | FinishOutcome::Worn
        | FinishOutcome::Changed
        | FinishOutcome::Closed
        | FinishOutcome::Lost => {}
        FinishOutcome::Violated(rows) => {
            let mut text = format!("test `{test}` ended with rows that no commit would accept");
            for row in rows {
                text.push_str("\n  ");
                text.push_str(&row);
            }
            errors.push(Error::new(Kind::Constraint, text).help(
                "in production the commit would have failed: insert the missing row, \
                 or delete the one that refers to it",
            ));
        }
        FinishOutcome::Held | FinishOutcome::Failed(_) if let Some(end) = server_end => {
            let text = format!("the transaction of test `{test}` could not be rolled back: {end}");
            errors.push(Error::new(Kind::Connection, text));
        }
        FinishOutcome::Held => {
            let holder =
                holder.unwrap_or_else(|| "something that waits for the database".to_owned());
            let text = format!(
                "test `{test}` ended, but its connection was still in use {:.1} s later\n  by {holder}",
                waits.teardown.as_secs_f64(),
            );
            errors.push(Error::new(Kind::Held, text).help(
                "end what the test began: commit or drop its transactions and streams, \
                 and spawn tasks with `green_light::spawn`, which ends them with the test",
            ));
        }
        FinishOutcome::Failed(error) => {
            let text = format!("the transaction of test `{test}` could not be rolled back");
            errors.push(
                Error::new(Kind::Connection, text)
                    .help("the next test gets a new database; look at the cause, and whether the database still runs")
                    .because(error),
            );
        }
    }
    Error::all(errors)
}
