//! What hooks, pool callbacks and reports of statements say about one slot, shared between the test and the
//! database's thread.
//!
//! Invariants:
//! * A commit is never allowed, with or without a lease.
//! * A breach is recorded in the lease that is open when it happens.
//! * A use of the slot without a lease poisons it: it is not lent again.
//! * No lock is held across an await, and no callback waits for anything.

use std::{
    collections::HashSet,
    panic::Location,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use green_light_core::Mutex;

use crate::driver::breach::{Breach, BreachCause, BreachReport, Broken, is_call};
use crate::driver::checkout::{Checkout, CheckoutDecision, prompt};
use crate::driver::handoff::Handoff;
use crate::driver::lease_notes::LeaseNotes;
use crate::sql::classify::{count_besides_savepoints, defines, first_word, is_about_savepoints};
use crate::sql::dialect::{CountedColumns, Dialect, SettingsSet};
use crate::sql::shorten::shorten;

/// How long after a breach was seen its statement may be reported, besides the time it took.
const LATE: Duration = Duration::from_millis(20);
/// First words of statements that write rows.
const WRITES: [&str; 4] = ["insert", "update", "replace", "load"];

#[derive(Debug)]
pub(crate) struct SandboxMonitor {
    pub(crate) dialect: &'static dyn Dialect,
    state: Mutex<State>,
    /// Whether green-light itself is ending the outer transaction.
    ending: AtomicBool,
    /// Whether the slot is thrown away; queries still running are interrupted.
    dead: AtomicBool,
    /// The shortest time, in nanoseconds, in which the server has answered.
    fastest_answer: AtomicU64,
    handoff: Handoff,
    /// The columns of its database that the server numbers, if a rollback does not set their numbers back.
    counted_columns: OnceLock<Arc<CountedColumns>>,
    /// The functions of which it is not known that they leave nothing in a session, where that is asked.
    suspects: OnceLock<HashSet<Box<str>>>,
}

#[derive(Debug, Default)]
struct State {
    lease: Option<LeaseState>,
    /// Whether the outer transaction ended before its test.
    lost: bool,
    poisoned: bool,
    /// Whether something may have been committed.
    may_have_committed: bool,
    /// Whether the URL of its database was given away.
    url_exposed: bool,
    checkout: Option<Checkout>,
    failure: Option<String>,
    /// Why the last connection could not be used any more, if that was seen.
    broken: Option<Broken>,
}

/// What is known of one use of the connection.
#[derive(Debug, Default)]
#[allow(
    dead_code,
    reason = "only some databases have settings that end with a transaction"
)]
pub(crate) struct CurrentUse {
    /// Whether all that was sent is one statement, outside of transactions, that sets nothing.
    pub(crate) is_one_statement: bool,
    /// Whether any statement is known.
    pub(crate) is_seen: bool,
    /// The settings that they set.
    pub(crate) settings: SettingsSet,
}

/// What is noted of one lease while it lasts.
#[derive(Debug, Default)]
pub(crate) struct LeaseState {
    id: u64,
    pub(crate) breaches: Vec<BreachReport>,
    longest: Option<(Duration, Checkout)>,
    /// Whether the test has had a connection, so that losing it loses rows.
    used: bool,
    /// Whether an error has said to the test who holds its connection.
    holder_reported: bool,
    /// Whether the test asked for the URL of its database.
    url_given: bool,
    /// Whether others may have committed something to its database.
    pub(crate) others_may_commit: bool,
    /// Whether a statement was sent that may leave something in the session.
    session_dirty: bool,
    /// Whether a statement was sent that may move the numbers of keys, as far as they were reported.
    counters_moved: bool,
    /// How many statements besides those about savepoints were sent as texts, as far as they were reported.
    text_statements: u64,
    /// Whether the connection was used by something that reports no statement.
    untracked_use: bool,
    /// Whether the next use of the connection will report its statement when it is over.
    expects_report: bool,
    /// The settings that the statement will set.
    expected_settings: SettingsSet,
    /// What a commit of the application would have failed on, which was rolled back.
    pub(crate) violations: Vec<String>,
    /// Whether a statement was sent that writes rows, as far as they were reported.
    has_written: bool,
    /// A statement that searched in an index which has no rows of its own transaction.
    searched: Option<String>,
    /// The statement that the database refused last, or the first of several in a row.
    refused: Option<String>,
    /// Whether the last statement was refused.
    was_refused: bool,
    /// What the lease knows after its end.
    notes: Arc<LeaseNotes>,
}

#[allow(
    dead_code,
    reason = "SeaORM alone reports statements, and each database tells and asks for some of it"
)]
impl SandboxMonitor {
    pub(crate) fn new(dialect: &'static dyn Dialect) -> Self {
        Self {
            dialect,
            state: Mutex::default(),
            ending: AtomicBool::new(false),
            dead: AtomicBool::new(false),
            fastest_answer: AtomicU64::new(u64::MAX),
            handoff: Handoff::default(),
            counted_columns: OnceLock::new(),
            suspects: OnceLock::new(),
        }
    }

    /// Changes lease `id`, unless it has ended.
    fn change(&self, id: u64, change: impl FnOnce(&mut LeaseState)) {
        let mut state = self.state.lock();
        if let Some(lease) = state.lease.as_mut().filter(|lease| lease.id == id) {
            change(lease);
        }
    }

    /// Looks at the open lease.
    fn lease<T>(&self, look: impl FnOnce(&LeaseState) -> T) -> Option<T> {
        self.state.lock().lease.as_ref().map(look)
    }

    /// Lends the slot. `false` when it must not be lent any more.
    pub(crate) fn open(&self, id: u64, notes: Arc<LeaseNotes>) -> bool {
        let mut state = self.state.lock();
        if state.poisoned || state.lease.is_some() || self.is_dead() {
            return false;
        }
        state.lease = Some(LeaseState {
            id,
            notes,
            ..LeaseState::default()
        });
        self.handoff.reset();
        true
    }

    /// Takes the slot back; from here on any use of it poisons it.
    pub(crate) fn close(&self) -> Option<LeaseState> {
        self.state.lock().lease.take()
    }

    /// A new connection is ready, its outer transaction open.
    pub(crate) fn connected(&self, failure: Option<String>) {
        self.handoff.reconnected();
        let mut state = self.state.lock();
        let state = &mut *state;
        let lost = std::mem::take(&mut state.lost);
        state.poisoned |= failure.is_some();
        state.failure = failure.or(state.failure.take());
        if let Some(lease) = &mut state.lease {
            if lease.used && !lost {
                lease.breaches.push(BreachReport {
                    broken: state.broken.take(),
                    ..BreachReport::new(Breach::Replaced)
                });
            }
            state.checkout = Some(lease.check_out());
        }
    }

    /// The connection came back from its last use and cannot be used again.
    pub(crate) fn note_broken(&self, reason: Broken) {
        self.state.lock().broken = Some(reason);
    }

    /// The outer transaction was found to be lost as the test ended: no new connection will tell why.
    pub(crate) fn report_broken(&self) {
        let mut state = self.state.lock();
        let state = &mut *state;
        if let (Some(broken), Some(lease), false) =
            (state.broken.take(), &mut state.lease, state.lost)
        {
            state.lost = true;
            lease.breaches.push(BreachReport {
                broken: Some(broken),
                ..BreachReport::new(Breach::Replaced)
            });
        }
    }

    /// Why the last connection could not be made ready.
    pub(crate) fn failure(&self) -> Option<String> {
        self.state.lock().failure.take()
    }

    /// A kept connection, at this transaction depth, is about to be handed out.
    pub(crate) fn check_out(&self, depth: usize, base: usize) -> CheckoutDecision {
        let mut state = self.state.lock();
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
        state.checkout = Some(lease.check_out());
        CheckoutDecision::Ready
    }

    /// The connection has been given back.
    pub(crate) fn released(&self) {
        let mut state = self.state.lock();
        let state = &mut *state;
        let (Some(checkout), Some(lease)) = (state.checkout.take(), &mut state.lease) else {
            return;
        };
        lease.untracked_use |= checkout.statement.is_none() && !checkout.is_announced;
        let age = checkout.age();
        let longest = lease.longest.as_ref();
        if longest.is_none_or(|(longest, _)| age > *longest) {
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
        let mut state = self.state.lock();
        let state = &mut *state;
        // What follows in the same use of the connection may commit.
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

    /// `statement` did something that is not to be done, and the outer transaction goes on.
    pub(crate) fn note(&self, breach: Breach, statement: String) {
        if let Some(lease) = &mut self.state.lock().lease {
            lease.breaches.push(BreachReport {
                statement: Some(statement),
                ..BreachReport::new(breach)
            });
        }
    }

    /// The database tells which statement it has just run: the one that caused the last breach, unless
    /// that has been named.
    pub(crate) fn named(&self, statement: &str) {
        if let Some(lease) = &mut self.state.lock().lease
            && let Some(record) = lease.breaches.last_mut()
        {
            record.statement.get_or_insert_with(|| shorten(statement));
        }
    }

    /// The database itself has rolled back the outer transaction, to break a deadlock: no breach.
    pub(crate) fn rolled_back_by_server(&self) {
        let mut state = self.state.lock();
        state.lost = true;
        state.may_have_committed = true;
        if let Some(lease) = &state.lease {
            lease.notes.deadlocked.store(true, Ordering::Relaxed);
        }
    }

    /// What ended the transaction of the test before the test did, in words, if anything has.
    pub(crate) fn ended_early(&self) -> Option<String> {
        let state = self.state.lock();
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
        if let Some(checkout) = &mut self.state.lock().checkout {
            checkout.begun_at = Some(place);
        }
    }

    /// The test of lease `id` asked for the URL of its database.
    pub(crate) fn url_asked_for(&self, id: u64) {
        self.change(id, |lease| lease.url_given = true);
        self.expose_url(id);
    }

    /// Whether the test asked for the URL of its database.
    pub(crate) fn was_url_asked_for(&self) -> bool {
        self.lease(|lease| lease.url_given).unwrap_or(false)
    }

    /// The test of lease `id` can find out the URL of the database. If others can commit there, no later test gets the
    /// database.
    pub(crate) fn expose_url(&self, id: u64) {
        let commits = self.dialect.others_may_commit();
        self.change(id, |lease| lease.others_may_commit |= commits);
        let mut state = self.state.lock();
        state.url_exposed = true;
        state.may_have_committed |= commits;
    }

    /// Whether its database is beyond doubt as the template made it, so that another process may have it.
    pub(crate) fn is_spotless(&self) -> bool {
        let state = self.state.lock();
        state.lease.is_none()
            && !state.poisoned
            && !state.may_have_committed
            && !state.url_exposed
            && !state.lost
    }

    /// Whether the statements of this use of the connection may define something, as far as is known.
    pub(crate) fn defined(&self) -> Option<bool> {
        let state = self.state.lock();
        let checkout = state.checkout.as_ref()?;
        checkout.statement.as_ref().map(|_| checkout.defines)
    }

    /// The server has answered within `elapsed`.
    pub(crate) fn note_answer(&self, elapsed: Duration) {
        let elapsed = u64::try_from(elapsed.as_nanos()).unwrap_or(u64::MAX);
        self.fastest_answer.fetch_min(elapsed, Ordering::Relaxed);
    }

    /// Since when the connection has been in use.
    pub(crate) fn held_since(&self) -> Instant {
        let state = self.state.lock();
        let checkout = state.checkout.as_ref();
        checkout.map_or_else(Instant::now, |checkout| checkout.since)
    }

    /// A statement of lease `id` will be reported once it has run and the connection is given back.
    pub(crate) fn announce(&self, id: u64, statement: &str) {
        let settings = self.dialect.settings_set(statement);
        self.change(id, |lease| {
            lease.expects_report = true;
            lease.expected_settings = settings;
        });
    }

    /// What is known of the statements of this use of the connection.
    pub(crate) fn current_use(&self) -> CurrentUse {
        let state = self.state.lock();
        let checkout = state.checkout.as_ref();
        checkout.map_or_else(CurrentUse::default, |checkout| CurrentUse {
            is_one_statement: checkout.is_one_statement(),
            is_seen: checkout.reports > 0 || checkout.is_announced,
            settings: checkout.settings.clone(),
        })
    }

    /// What the test committed could not have been committed: `row` says why.
    pub(crate) fn note_violation(&self, row: String) {
        let mut state = self.state.lock();
        let state = &mut *state;
        let place = state.checkout.as_ref().and_then(Checkout::place);
        if let Some(lease) = &mut state.lease {
            let place = place.map_or_else(String::new, |place| format!("\n    begun at {place}"));
            lease.violations.push(row + &place);
        }
    }

    /// An error on a connection that the test kept seems to have rolled back what ran before it: `text` says what.
    pub(crate) fn lost_rows(&self, text: String) {
        let state = self.state.lock();
        let place = state.checkout.as_ref().and_then(Checkout::place);
        if let Some(lease) = &state.lease {
            let place = place.map_or_else(String::new, |place| {
                format!("\n  on a connection taken at {place}")
            });
            lease.notes.note_lost_rows(text + &place);
        }
    }

    /// Something is to be said if the test fails.
    pub(crate) fn remark(&self, text: String) {
        if let Some(lease) = &self.state.lock().lease {
            lease.notes.remark(text);
        }
    }

    /// A text of lease `id`, which SeaORM does not report, was sent and has run for `elapsed`. One with
    /// several statements need not have been run to its end if it failed.
    pub(crate) fn ran_text(&self, id: u64, text: &str, elapsed: Duration, has_failed: bool) {
        self.change(id, |lease| {
            lease.note_answer(text, has_failed);
            if self.dialect.ddl_commits() {
                let count = count_besides_savepoints(text, self.dialect.lexer());
                lease.text_statements += count;
                lease.session_dirty |= has_failed && count > 1;
            }
        });
        self.ran(id, text, elapsed, false);
    }

    /// A prepared statement of lease `id`, which SeaORM reports, has run for `elapsed`.
    pub(crate) fn ran_prepared(
        &self,
        id: u64,
        statement: &str,
        elapsed: Duration,
        has_failed: bool,
    ) {
        self.change(id, |lease| {
            lease.note_answer(statement, has_failed);
            // The server counts it as prepared, and once more as what it is.
            lease.session_dirty |= self.dialect.ddl_commits() && is_about_savepoints(statement);
        });
        self.ran(id, statement, elapsed, true);
    }

    /// The statement that the database refused last, or the first of several in a row.
    pub(crate) fn refused(&self) -> Option<String> {
        self.lease(|lease| lease.refused.clone()).flatten()
    }

    /// A statement of lease `id` has run for `elapsed`.
    fn ran(&self, id: u64, statement: &str, elapsed: Duration, is_prepared: bool) {
        let sent = Instant::now().checked_sub(elapsed);
        let suspects = self.suspects.get();
        let leaves_traces = self.dialect.dirties_session(statement)
            || suspects.is_some_and(|known| self.dialect.may_leave_traces(statement, known));
        let settings = self.dialect.settings_set(statement);
        let mut state = self.state.lock();
        let state = &mut *state;
        let Some(lease) = state.lease.as_mut().filter(|lease| lease.id == id) else {
            return;
        };
        lease.session_dirty |= leaves_traces;
        if let Some(columns) = self.counted_columns.get() {
            lease.counters_moved |= self.dialect.may_move_counters(statement, columns);
        }
        if lease.has_written && self.dialect.searches_committed_rows(statement) {
            lease.searched.get_or_insert_with(|| shorten(statement));
        }
        lease.has_written |= WRITES
            .iter()
            .any(|word| first_word(statement).eq_ignore_ascii_case(word));
        let ends = self.dialect.ends_transaction(statement);
        if is_prepared && let Some(checkout) = &mut state.checkout {
            let fastest = Duration::from_nanos(self.fastest_answer.load(Ordering::Relaxed));
            checkout.note_report(sent, prompt(fastest));
            checkout.leaves_traces |= leaves_traces;
            checkout.settings.add(settings);
        }
        let statement = shorten(statement);
        if let Some(record) = lease.breaches.last_mut()
            && record.statement.is_none()
        {
            // A hook is called while the statement runs; a server is asked once it has run.
            let ends = ends || record.called && is_call(&statement);
            let is_it = if record.breach == Breach::Ended || self.dialect.ddl_commits() {
                ends && record.at.elapsed() <= elapsed + LATE
            } else {
                record.is_by_hook() && record.at.elapsed() <= elapsed
            };
            if is_it {
                record.statement = Some(statement.clone());
            }
        }
        if let Some(checkout) = &mut state.checkout {
            checkout.defines |= defines(&statement);
            if is_call(&statement) {
                checkout.call = Some(statement.clone());
            }
            if ends {
                checkout.suspect.get_or_insert_with(|| statement.clone());
            }
            checkout.statement = Some(statement);
        }
    }

    /// The first statement that searched what the test had written before in an index which has no rows of its
    /// transaction, as far as statements were reported.
    pub(crate) fn searched(&self) -> Option<String> {
        self.lease(|lease| lease.searched.clone()).flatten()
    }

    /// Which functions may leave something in a session.
    pub(crate) fn suspect(&self, functions: HashSet<Box<str>>) {
        self.suspects.get_or_init(|| functions);
    }

    /// Something else than the connection of the test has committed to `tables`.
    pub(crate) fn committed_elsewhere(&self, tables: String) {
        if let Some(lease) = &mut self.state.lock().lease {
            lease.breaches.push(BreachReport {
                kind: Some(tables),
                ..BreachReport::new(Breach::Elsewhere)
            });
        }
    }

    /// Whether the test has left something in its session that a rollback does not take away, as far as its
    /// statements were reported.
    pub(crate) fn session_dirty(&self) -> bool {
        self.lease(|lease| lease.session_dirty).unwrap_or(true)
    }

    /// Whether the test may have changed something that neither a rollback nor the end of its database undoes, as far as
    /// is known.
    pub(crate) fn may_reach_beyond(&self) -> bool {
        let reaches = |lease: &LeaseState| {
            lease.session_dirty
                || lease.untracked_use
                || lease.url_given
                || !lease.breaches.is_empty()
        };
        self.lease(reaches).unwrap_or(true)
    }

    /// The server numbers these columns of its database.
    pub(crate) fn watch_counters(&self, columns: Arc<CountedColumns>) {
        let _ = self.counted_columns.set(columns);
    }

    /// Whether the test may have moved the numbers of keys, as far as its statements were reported.
    pub(crate) fn counters_moved(&self) -> bool {
        self.lease(|lease| lease.counters_moved).unwrap_or(true)
    }

    /// Whether the test has sent statements that were not reported.
    pub(crate) fn has_untracked_use(&self) -> bool {
        self.lease(|lease| lease.untracked_use).unwrap_or(true)
    }

    /// How many statements besides those about savepoints the test has sent as texts, as far as they
    /// were reported.
    pub(crate) fn text_statements(&self) -> u64 {
        self.lease(|lease| lease.text_statements).unwrap_or(0)
    }

    /// Who holds the connection now, in words.
    pub(crate) fn holder(&self) -> Option<String> {
        let state = self.state.lock();
        let checkout = state.checkout.as_ref()?;
        Some(checkout.describe(checkout.age()))
    }

    /// An error of lease `id` says who holds its connection.
    pub(crate) fn mark_reported(&self, id: u64) {
        self.change(id, |lease| lease.holder_reported = true);
    }

    /// Who has held the connection for `wait` or longer, in words, unless an error has said it or the test is over.
    pub(crate) fn contention(&self, wait: Duration) -> Option<String> {
        let state = self.state.lock();
        let lease = state
            .lease
            .as_ref()
            .filter(|lease| !lease.holder_reported)?;
        let now = state.checkout.iter();
        let now = now.map(|checkout| (checkout.age(), checkout));
        let before = lease.longest.iter().map(|(age, checkout)| (*age, checkout));
        let (age, checkout) = now.chain(before).find(|(age, _)| *age >= wait)?;
        Some(checkout.describe(age))
    }

    /// Whether the lease has not touched its connection and does not hold one.
    pub(crate) fn is_untouched(&self) -> bool {
        let state = self.state.lock();
        state.checkout.is_none() && state.lease.as_ref().is_none_or(|lease| !lease.used)
    }

    /// The end of the test that has the slot.
    pub(crate) fn handoff(&self) -> &Handoff {
        &self.handoff
    }

    /// The end of the test has the connection, which is no use of it.
    pub(crate) fn end_checkout(&self) {
        self.state.lock().checkout = None;
    }

    pub(crate) fn is_lost(&self) -> bool {
        self.state.lock().lost
    }

    /// Ends the outer transaction on purpose while the returned value lives.
    pub(crate) fn ending(&self) -> EndingScope<'_> {
        self.ending.store(true, Ordering::Release);
        EndingScope(self)
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

impl LeaseState {
    fn check_out(&mut self) -> Checkout {
        self.used = true;
        let mut checkout = Checkout::new(std::mem::take(&mut self.expects_report));
        checkout.settings = std::mem::take(&mut self.expected_settings);
        checkout
    }

    /// Remembers a statement that was refused: after one, PostgreSQL refuses those that follow as well.
    fn note_answer(&mut self, statement: &str, has_failed: bool) {
        if has_failed && !self.was_refused {
            self.refused = Some(shorten(statement));
        }
        self.was_refused = has_failed;
    }
}

/// While it lives, hooks know that green-light itself ends the outer transaction.
#[must_use]
pub(crate) struct EndingScope<'a>(&'a SandboxMonitor);

impl Drop for EndingScope<'_> {
    fn drop(&mut self) {
        self.0.ending.store(false, Ordering::Release);
    }
}
