//! What hooks and pool callbacks know about one slot, shared between the test and the database's thread.
//!
//! Invariants:
//! * A commit is never allowed, with or without a lease.
//! * A breach is recorded in the lease that is open when it happens.
//! * A use of the slot without a lease condemns it: it is not lent again.
//! * No lock is held across an await, and no callback waits for anything.

use std::{
    panic::Location,
    sync::{
        Arc, MutexGuard,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use crate::driver::breach::{Breach, BreachCause, BreachReport, Broken};
use crate::driver::checkout::{Checkout, CheckoutDecision};
use crate::driver::handoff::Handoff;
use crate::driver::lease_state::LeaseState;
use crate::sql::dialect::Dialect;
use crate::sql::shorten::shorten;
use crate::test_id::TestId;
use green_light_core::Mutex;

#[derive(Debug)]
pub(crate) struct SandboxMonitor {
    pub(crate) dialect: &'static dyn Dialect,
    state: Mutex<State>,
    /// Whether green-light itself is ending the outer transaction.
    ending: AtomicBool,
    /// Whether the slot is thrown away; queries still running are interrupted.
    dead: AtomicBool,
    handoff: Handoff,
}

#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) lease: Option<LeaseState>,
    /// Whether the outer transaction ended before its test.
    lost: bool,
    poisoned: bool,
    /// Whether something may have been committed.
    may_have_committed: bool,
    /// Whether somebody was told how to connect to its database.
    url_exposed: bool,
    pub(crate) checkout: Option<Checkout>,
    failure: Option<String>,
    /// Why the last connection could not be used any more, if that was seen.
    broken: Option<Broken>,
}

impl SandboxMonitor {
    pub(crate) fn new(dialect: &'static dyn Dialect) -> Self {
        Self {
            dialect,
            state: Mutex::default(),
            ending: AtomicBool::new(false),
            dead: AtomicBool::new(false),
            handoff: Handoff::default(),
        }
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        // The state is changed by assignments only, so a panic elsewhere leaves it whole.
        self.state.lock()
    }

    /// Lends the slot. `false` when it must not be lent any more.
    pub(crate) fn open(&self, id: u64, test: TestId, deadlocked: Arc<AtomicBool>) -> bool {
        let mut state = self.state();
        if state.poisoned || state.lease.is_some() || self.is_dead() {
            return false;
        }
        state.lease = Some(LeaseState::new(id, test, deadlocked));
        self.handoff.reset();
        true
    }

    /// Takes the slot back; from here on any use of it condemns it.
    pub(crate) fn close(&self) -> Option<LeaseState> {
        self.state().lease.take()
    }

    /// A new connection is ready, its outer transaction open.
    pub(crate) fn connected(&self, failure: Option<String>) {
        self.handoff.reconnected();
        let mut state = self.state();
        let state = &mut *state;
        let lost = std::mem::take(&mut state.lost);
        state.poisoned |= failure.is_some();
        state.failure = failure.or(state.failure.take());
        match &mut state.lease {
            Some(lease) if lease.used && !lost => lease.breaches.push(BreachReport {
                broken: state.broken.take(),
                ..BreachReport::new(Breach::Replaced)
            }),
            Some(_) | None => {}
        }
        if let Some(lease) = &mut state.lease {
            lease.used = true;
            state.checkout = Some(Checkout::new(std::mem::take(&mut lease.expects_report)));
        }
    }

    /// The connection came back from its last use and cannot be used again.
    pub(crate) fn broken(&self, reason: Broken) {
        self.state().broken = Some(reason);
    }

    /// Why the last connection could not be made ready.
    pub(crate) fn failure(&self) -> Option<String> {
        self.state().failure.take()
    }

    /// A kept connection, at this transaction depth, is about to be handed out.
    pub(crate) fn check_out(&self, depth: usize, base: usize) -> CheckoutDecision {
        let mut state = self.state();
        let state = &mut *state;
        let Some(lease) = &mut state.lease else {
            state.poisoned = true;
            return CheckoutDecision::Replace;
        };
        if depth != base && !state.lost {
            lease.breaches.push(BreachReport::new(Breach::Unbalanced));
            state.lost = true;
        }
        if state.lost {
            return CheckoutDecision::Replace;
        }
        state.checkout = Some(Checkout::new(std::mem::take(&mut lease.expects_report)));
        lease.used = true;
        CheckoutDecision::Ready
    }

    /// The connection has been given back.
    pub(crate) fn released(&self) {
        let mut state = self.state();
        let state = &mut *state;
        let (Some(checkout), Some(lease)) = (state.checkout.take(), &mut state.lease) else {
            return;
        };
        lease.untracked_use |= checkout.statement.is_none() && !checkout.is_announced;
        let age = checkout.age();
        if lease
            .longest
            .as_ref()
            .is_none_or(|(longest, _)| age > *longest)
        {
            lease.longest = Some((age, checkout));
        }
    }

    /// The database asks whether it may commit: never.
    pub(crate) fn commit_asked(&self) -> bool {
        if !self.is_ending() {
            self.ended(Breach::Commit);
        }
        false
    }

    /// The database has rolled back the outer transaction.
    pub(crate) fn rolled_back(&self) {
        if !self.is_ending() {
            self.ended(Breach::Rollback);
        }
    }

    /// The outer transaction has ended, and not by green-light.
    pub(crate) fn ended(&self, breach: Breach) {
        self.ended_by(breach, None);
    }

    /// The same, by a statement that the database knows.
    pub(crate) fn ended_by(&self, breach: Breach, by: Option<BreachCause>) {
        let mut state = self.state();
        let state = &mut *state;
        // Whatever follows in the same use of the connection may commit.
        state.may_have_committed = true;
        let Some(lease) = &mut state.lease else {
            state.poisoned = true;
            return;
        };
        if !state.lost {
            state.lost = true;
            let mut record = BreachReport::new(breach);
            if let Some(checkout) = &mut state.checkout {
                record.place = checkout.place();
                // A hook is called before its statement is reported, a server is asked after it.
                if breach == Breach::Ended || self.dialect.ddl_commits() {
                    record.statement = checkout.suspect.take();
                }
            }
            match by {
                Some(BreachCause::Text(text)) => record.statement = Some(shorten(&text)),
                Some(BreachCause::Kind(kind)) => record.kind = Some(kind),
                Some(BreachCause::Called(kind)) => {
                    record.kind = Some(kind);
                    record.called = true;
                    let call = state
                        .checkout
                        .as_mut()
                        .and_then(|checkout| checkout.call.take());
                    record.statement = record.statement.take().or(call);
                }
                None => {}
            }
            lease.breaches.push(record);
        } else if breach == Breach::Commit
            && let Some(record) = lease.breaches.last_mut()
        {
            record.refused_later += 1;
        }
    }

    /// The database tells which statement it has just run: the one that caused the last breach, unless
    /// that has been named.
    pub(crate) fn named(&self, statement: &str) {
        if let Some(lease) = &mut self.state().lease
            && let Some(record) = lease.breaches.last_mut()
        {
            record.statement.get_or_insert_with(|| shorten(statement));
        }
    }

    /// The database itself has rolled back the outer transaction, to break a deadlock: no breach.
    pub(crate) fn rolled_back_by_server(&self) {
        let mut state = self.state();
        state.lost = true;
        state.may_have_committed = true;
        if let Some(lease) = &state.lease {
            lease.deadlocked.store(true, Ordering::Relaxed);
        }
    }

    /// What ended the transaction of the test before the test did, in words, if anything has.
    pub(crate) fn ended_early(&self) -> Option<String> {
        let state = self.state();
        let lease = state.lease.as_ref()?;
        let ends = |record: &&BreachReport| {
            matches!(
                record.breach,
                Breach::Commit | Breach::Rollback | Breach::Ended
            )
        };
        if let Some(record) = lease.breaches.iter().find(ends) {
            return Some(record.culprit());
        }
        // Its connection is still on the way back, where the end would be noticed.
        let checkout = state
            .checkout
            .as_ref()
            .filter(|_| self.dialect.ddl_commits())?;
        let statement = checkout.suspect.as_ref().or(checkout.call.as_ref())?;
        Some(format!("`{statement}`"))
    }

    /// The current holder of the connection began its transaction at `place`.
    pub(crate) fn begun_at(&self, place: &'static Location<'static>) {
        if let Some(checkout) = &mut self.state().checkout {
            checkout.begun_at = Some(place);
        }
    }

    /// A raw pool of lease `id` has been handed out. Its options lead to the database, unless it
    /// `is_shielded`.
    pub(crate) fn raw_pool_given(&self, id: u64, is_shielded: bool) {
        if let Some(lease) = self.state().lease.as_mut().filter(|lease| lease.id == id) {
            lease.raw_pool = true;
        }
        if !is_shielded {
            self.url_given(id);
        }
    }

    /// Whether the test was given a raw pool.
    pub(crate) fn has_raw_pool(&self) -> bool {
        let state = self.state();
        state.lease.as_ref().is_some_and(|lease| lease.raw_pool)
    }

    /// Lease `id` was asked where its database is.
    pub(crate) fn url_asked_for(&self, id: u64) {
        if let Some(lease) = self.state().lease.as_mut().filter(|lease| lease.id == id) {
            lease.url_given = true;
        }
        self.url_given(id);
    }

    /// Whether the test asked where its database is.
    pub(crate) fn was_url_asked_for(&self) -> bool {
        let state = self.state();
        state.lease.as_ref().is_some_and(|lease| lease.url_given)
    }

    /// Lease `id` has told where its database is. If others can commit there, no test after it has it.
    fn url_given(&self, id: u64) {
        let mut state = self.state();
        state.url_exposed = true;
        if self.dialect.ddl_commits() {
            state.may_have_committed = true;
            if let Some(lease) = state.lease.as_mut().filter(|lease| lease.id == id) {
                lease.strangers = true;
            }
        }
    }

    /// Whether its database is beyond doubt as the template made it, so that another process may have it.
    pub(crate) fn is_spotless(&self) -> bool {
        let state = self.state();
        state.lease.is_none()
            && !state.poisoned
            && !state.may_have_committed
            && !state.url_exposed
            && !state.lost
    }

    /// Whether the statements of this use of the connection may define something, as far as is known.
    pub(crate) fn defined(&self) -> Option<bool> {
        let state = self.state();
        let checkout = state.checkout.as_ref()?;
        checkout.statement.as_ref().map(|_| checkout.defines)
    }

    /// Since when the connection has been in use.
    pub(crate) fn held_since(&self) -> Instant {
        let state = self.state();
        state
            .checkout
            .as_ref()
            .map_or_else(Instant::now, |checkout| checkout.since)
    }

    /// Who holds the connection now, in words.
    pub(crate) fn holder(&self) -> Option<String> {
        self.state()
            .checkout
            .as_ref()
            .map(|checkout| checkout.describe(checkout.age()))
    }

    /// The test has been told, by an error, who holds its connection.
    pub(crate) fn told(&self) {
        if let Some(lease) = &mut self.state().lease {
            lease.told = true;
        }
    }

    /// Who has held the connection for `wait` or longer, in words, unless the test was told or is over.
    pub(crate) fn contention(&self, wait: Duration) -> Option<String> {
        let state = self.state();
        let lease = state.lease.as_ref().filter(|lease| !lease.told)?;
        let now = state
            .checkout
            .as_ref()
            .map(|checkout| (checkout.age(), checkout));
        let before = lease.longest.as_ref();
        now.into_iter()
            .chain(before.map(|(age, checkout)| (*age, checkout)))
            .find(|(age, _)| *age >= wait)
            .map(|(age, checkout)| checkout.describe(age))
    }

    /// Whether the lease has not touched its connection and does not hold one.
    pub(crate) fn is_untouched(&self) -> bool {
        let state = self.state();
        state.checkout.is_none() && state.lease.as_ref().is_none_or(|lease| !lease.used)
    }

    /// The end of the test that has the slot.
    pub(crate) fn handoff(&self) -> &Handoff {
        &self.handoff
    }

    /// The end of the test has the connection, which is no use of it.
    pub(crate) fn taken(&self) {
        self.state().checkout = None;
    }

    pub(crate) fn is_lost(&self) -> bool {
        self.state().lost
    }

    /// Ends the outer transaction on purpose while the returned value lives.
    pub(crate) fn ending(&self) -> Ending<'_> {
        self.ending.store(true, Ordering::Release);
        Ending(self)
    }

    pub(crate) fn is_ending(&self) -> bool {
        self.ending.load(Ordering::Acquire)
    }

    /// Throws the slot away: nothing may be lent, and running queries stop.
    pub(crate) fn kill(&self) {
        self.dead.store(true, Ordering::Release);
    }

    pub(crate) fn is_dead(&self) -> bool {
        self.dead.load(Ordering::Acquire)
    }
}

/// While it lives, hooks know that green-light itself ends the outer transaction.
#[must_use]
pub(crate) struct Ending<'a>(&'a SandboxMonitor);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.0.ending.store(false, Ordering::Release);
    }
}
