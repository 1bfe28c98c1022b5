//! What a guard learns from the statements of its test, as far as they are reported.

use std::time::Duration;

use crate::driver::breach::{Breach, is_call};
use crate::driver::monitor::SandboxMonitor;
use crate::sql::classify::{count_besides_savepoints, defines, is_about_savepoints};
use crate::sql::shorten::shorten;

/// How long after a breach was seen its statement may be reported, besides the time it took.
const LATE: Duration = Duration::from_millis(20);

impl SandboxMonitor {
    /// A statement of lease `id` will be reported once it has run and the connection is given back.
    pub(crate) fn announce(&self, id: u64) {
        if let Some(lease) = self.state().lease.as_mut().filter(|lease| lease.id == id) {
            lease.expects_report = true;
        }
    }

    /// A text of lease `id`, which SeaORM does not report, was sent and has run for `elapsed`. One with
    /// several statements need not have been run to its end if it failed.
    pub(crate) fn ran_text(&self, id: u64, text: &str, elapsed: Duration, has_failed: bool) {
        if self.dialect.ddl_commits()
            && let Some(lease) = self.state().lease.as_mut().filter(|lease| lease.id == id)
        {
            let texts = count_besides_savepoints(text, self.dialect.lexer());
            lease.texts += texts;
            lease.session_dirty |= has_failed && texts > 1;
        }
        self.answered(id, text, has_failed);
        self.ran(id, text, elapsed);
    }

    /// Remembers a statement that was refused: after one, PostgreSQL refuses those that follow as well.
    fn answered(&self, id: u64, statement: &str, has_failed: bool) {
        if let Some(lease) = self.state().lease.as_mut().filter(|lease| lease.id == id) {
            if has_failed && !lease.was_refused {
                lease.refused = Some(shorten(statement));
            }
            lease.was_refused = has_failed;
        }
    }

    /// The statement that the database refused last, or the first of several in a row.
    pub(crate) fn refused(&self) -> Option<String> {
        self.state().lease.as_ref()?.refused.clone()
    }

    /// A prepared statement of lease `id`, which SeaORM reports, has run for `elapsed`.
    pub(crate) fn ran_prepared(
        &self,
        id: u64,
        statement: &str,
        elapsed: Duration,
        has_failed: bool,
    ) {
        self.answered(id, statement, has_failed);
        if self.dialect.ddl_commits()
            // The server counts it as prepared, and once more as what it is.
            && is_about_savepoints(statement)
            && let Some(lease) = self.state().lease.as_mut().filter(|lease| lease.id == id)
        {
            lease.session_dirty = true;
        }
        self.ran(id, statement, elapsed);
    }

    /// A statement of lease `id` has run for `elapsed`.
    fn ran(&self, id: u64, statement: &str, elapsed: Duration) {
        let mut state = self.state();
        let state = &mut *state;
        let Some(lease) = state.lease.as_mut().filter(|lease| lease.id == id) else {
            return;
        };
        lease.session_dirty |= self.dialect.dirties_session(statement);
        let ends = self.dialect.ends_transaction(statement);
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

    /// Whether the test has left something in its session that a rollback does not take away, as far as its
    /// statements were reported.
    pub(crate) fn session_dirty(&self) -> bool {
        let state = self.state();
        state.lease.as_ref().is_none_or(|lease| lease.session_dirty)
    }

    /// Whether the test has sent statements that were not reported.
    pub(crate) fn is_unseen(&self) -> bool {
        let state = self.state();
        state.lease.as_ref().is_none_or(|lease| lease.untracked_use)
    }

    /// How many statements besides those about savepoints the test has sent as texts, as far as they
    /// were told.
    pub(crate) fn texts(&self) -> u64 {
        self.state().lease.as_ref().map_or(0, |lease| lease.texts)
    }
}
