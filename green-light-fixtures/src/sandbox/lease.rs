//! A slot in the hands of one test, from its first query to its rollback.
//!
//! Invariants:
//! * A lease ends once; ending it again is a no-op.
//! * Ending reports what the test did, even if the slot is beyond repair.
//! * A lease that is dropped without being ended takes its slot with it: nothing is kept.

use std::any::Any;
use std::sync::{
    Arc, Weak,
    atomic::{AtomicBool, Ordering},
};

use green_light_core::{Mutex, left_behind};

use crate::driver::lease_notes::LeaseNotes;
use crate::driver::monitor::{LeaseState, SandboxMonitor};
use crate::driver::outcome::FinishOutcome;
use crate::driver::traits::{IsHeld, SlotDatabase};
use crate::error::{Error, Kind};
use crate::limits::Timeouts;
use crate::sandbox::pool::SandboxPool;
use crate::sandbox::slot::Slot;
use crate::test_id::TestId;
use crate::url::DatabaseUrl;

#[derive(Debug)]
pub(crate) struct Lease {
    pool: Arc<SandboxPool>,
    url: DatabaseUrl,
    slot: Mutex<Option<Slot>>,
    monitor: Arc<SandboxMonitor>,
    id: u64,
    /// Lives while any clone of the test's connection does; the lease's own part ends with it.
    pub(crate) token: Mutex<Option<Arc<()>>>,
    test: TestId,
    notes: Arc<LeaseNotes>,
    /// Dropped when its connection is given back, if that is one of few.
    holding: Mutex<Option<Box<dyn Any + Send + Sync>>>,
}

impl Lease {
    /// Lends a slot of `pool` to `test`.
    pub(crate) async fn of(pool: &Arc<SandboxPool>, test: TestId) -> Result<Self, Error> {
        let id = pool.next_lease();
        let notes = Arc::new(LeaseNotes::default());
        let slot = pool.acquire(id, &test, &notes).await?;
        let url = slot.database.url().cloned();
        let monitor = Arc::clone(&slot.monitor);
        if !slot.database.is_shielded() {
            monitor.expose_url(id);
        }
        let holding = pool.template().note_connection(&test.path);
        Ok(Self {
            pool: Arc::clone(pool),
            url: url.unwrap_or_else(|| pool.template().url()),
            slot: Mutex::new(Some(slot)),
            monitor,
            id,
            token: Mutex::new(Some(Arc::default())),
            test,
            notes,
            holding: Mutex::new(holding),
        })
    }

    pub(crate) fn id(&self) -> u64 {
        self.id
    }

    /// The test it was lent to.
    pub(crate) fn test(&self) -> &str {
        self.test.name()
    }

    pub(crate) fn monitor(&self) -> &Arc<SandboxMonitor> {
        &self.monitor
    }

    pub(crate) fn timeouts(&self) -> Timeouts {
        self.pool.timeouts()
    }

    /// Where its database is; where those of its engine are, if it is in memory.
    pub(crate) fn url(&self) -> &DatabaseUrl {
        &self.url
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
        drop(self.holding.lock().take());
        Some(Returning {
            slot: Some(slot),
            pool: Arc::clone(&self.pool),
            token: Arc::downgrade(&token),
            test: self.test.clone(),
        })
    }

    /// Whether the database has rolled back the test's transaction to break a deadlock.
    ///
    /// It is known once the connection has come back, at the latest when the lease has ended.
    pub(crate) fn was_deadlocked(&self) -> bool {
        self.notes.deadlocked.load(Ordering::Relaxed)
    }

    /// What to say if the test fails, all of which is known when the lease has ended.
    pub(crate) fn remarks(&self) -> Vec<String> {
        self.notes.remarks()
    }

    /// Whether an error seems to have rolled back more than it does in production, which is known when the lease has ended.
    pub(crate) fn has_lost_rows(&self) -> bool {
        self.notes.has_lost_rows()
    }

    /// What to know if the server was started by green-light and has ended.
    pub(crate) fn server_end(&self) -> Option<String> {
        self.pool.template().server_end()
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        drop(self.take());
    }
}

/// A slot on its way from a test to the pool, or out.
#[derive(Debug)]
#[must_use = "dropping it throws the slot away"]
pub(crate) struct Returning {
    /// Empty once the slot has been put back.
    slot: Option<Slot>,
    pool: Arc<SandboxPool>,
    token: Weak<()>,
    test: TestId,
}

impl Returning {
    /// Rolls back, checks, reports, and gives the slot back or throws it away.
    pub(crate) async fn end(mut self) -> Result<(), Error> {
        let timeouts = self.pool.timeouts();
        let Some(slot) = &mut self.slot else {
            return Ok(());
        };
        // A later test must not have a pool that something may still use.
        let is_shared = AtomicBool::new(false);
        // Before the pool is closed: from then on, what still has it may panic.
        let shared = |is_held: IsHeld| {
            if !is_shared.swap(true, Ordering::Relaxed) {
                left_behind(self.test.name(), is_held);
            }
        };
        let is_untouched = slot.monitor.is_untouched() && !slot.monitor.was_url_asked_for();
        if self.token.strong_count() > 0 {
            let token = Weak::clone(&self.token);
            shared(Box::new(move || token.strong_count() > 0));
        } else if is_untouched && let Some(is_held) = slot.database.shared_pool().await {
            shared(is_held);
        }
        let is_known = is_shared.load(Ordering::Relaxed);
        let ended = if is_untouched && !is_known {
            FinishOutcome::Clean
        } else {
            let finish = slot.database.finish(timeouts.teardown, is_known, &shared);
            finish.await
        };
        if slot.monitor.may_reach_beyond() {
            slot.database.look_after(self.test.name()).await;
        }
        let holder = slot.monitor.holder();
        let Some(lease) = slot.monitor.close() else {
            return Ok(());
        };
        let is_unharmed = matches!(ended, FinishOutcome::Clean | FinishOutcome::Worn)
            && lease.breaches.is_empty()
            && !lease.others_may_commit;
        let needs_pool = is_shared.load(Ordering::Relaxed) || matches!(ended, FinishOutcome::Worn);
        let is_reusable = is_unharmed && (!needs_pool || slot.database.renew_pool().await.is_ok());
        if is_reusable && let Some(slot) = self.slot.take() {
            let token = (!needs_pool).then_some(&self.token);
            self.pool.give_back(slot, token);
        }
        let given_up = match &self.slot {
            Some(slot) if !is_reusable => slot.database.give_up().await,
            _ => Ok(()),
        };
        let failed = matches!(ended, FinishOutcome::Held | FinishOutcome::Failed(_));
        let server_end = failed.then(|| self.pool.template().server_end()).flatten();
        report(
            self.test.name(),
            lease,
            ended,
            holder,
            timeouts,
            server_end.as_deref(),
        )
        .and(given_up)
    }
}

impl Drop for Returning {
    fn drop(&mut self) {
        if let Some(slot) = self.slot.take() {
            self.pool.discard_lent(slot);
        }
    }
}

/// The first thing that went wrong, with the others in its text.
fn report(
    test: &str,
    lease: LeaseState,
    ended: FinishOutcome,
    holder: Option<String>,
    timeouts: Timeouts,
    server_end: Option<&str>,
) -> Result<(), Error> {
    let mut errors: Vec<_> = lease
        .breaches
        .into_iter()
        .map(|record| record.into_error(test))
        .collect();
    if !lease.violations.is_empty() {
        let mut text = format!(
            "test `{test}` committed what no commit would accept; the rows of that transaction were rolled back"
        );
        for row in lease.violations {
            text.push_str("\n  ");
            text.push_str(&row);
        }
        errors.push(Error::new(Kind::Constraint, text).help(
            "in production the commit would have failed, and would have returned an error, which it cannot do here; \
             write `#[green_light::test(isolation = database)]` for a test of that error",
        ));
    }
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
                timeouts.teardown.as_secs_f64(),
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
