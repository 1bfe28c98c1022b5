//! What escaped, or tried to, and who did it.
//!
//! A breach belongs to the lease during which it happened. Its text names the test, the statement
//! where that was seen, and what to write instead.

#![allow(
    dead_code,
    reason = "each database reports some of the breaches and causes"
)]

use std::time::Instant;

use crate::error::{Error, Kind};
use crate::sql::classify::first_word;

/// How the outer transaction of a test ended before the test did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Breach {
    /// Something sent a commit; it was refused, and the database rolled back.
    Commit,
    /// Something rolled back the whole transaction.
    Rollback,
    /// Something ended the whole transaction; the database did not say how.
    Ended,
    /// The pool closed the connection and opened another one.
    Replaced,
    /// A `COPY .. FROM STDIN` was dropped half-way, after which sqlx cannot use its connection.
    CopyDropped,
    /// Another connection has committed to the database of the test.
    Elsewhere,
    /// A savepoint was begun by hand and not ended when the connection was given back.
    Unbalanced,
    /// The test took away the hooks by which an end of the whole transaction is seen, and ended it.
    Unhooked,
    /// A statement would have set something in the whole process; it was refused.
    ProcessWide,
    /// While the test ran, something was set in the whole process.
    SetInProcess,
}

/// What is known of the statement that caused a breach.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum BreachCause {
    /// Its text.
    Text(String),
    /// Its kind, as the database counts.
    Kind(String),
    /// Its kind, and a procedure was called that may have run it.
    Called(String),
}

/// Why the connection of a test could not be used any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Broken {
    pub(crate) fact: &'static str,
    pub(crate) help: &'static str,
    /// What the driver said.
    pub(crate) reason: Option<String>,
}

/// The fact of a connection that is lost, unless more is known.
pub(crate) const LOST: &str = "lost its connection, and all its rows with it";

/// One breach, with what is known of the statement that caused it.
#[derive(Debug)]
pub(crate) struct BreachReport {
    pub(crate) breach: Breach,
    pub(crate) at: Instant,
    pub(crate) statement: Option<String>,
    pub(crate) kind: Option<String>,
    /// Whether a procedure was called that may have run it.
    pub(crate) called: bool,
    /// Why the connection was lost, if that is known.
    pub(crate) broken: Option<Broken>,
    /// Where the connection was taken that it was sent on.
    pub(crate) place: Option<String>,
    /// How often writes were refused afterwards, on the same connection.
    pub(crate) refused_later: usize,
}

impl BreachReport {
    pub(crate) fn new(breach: Breach) -> Self {
        Self {
            breach,
            at: Instant::now(),
            statement: None,
            kind: None,
            called: false,
            broken: None,
            place: None,
            refused_later: 0,
        }
    }

    /// Whether a hook of the database reports it.
    pub(crate) fn is_by_hook(&self) -> bool {
        matches!(self.breach, Breach::Commit | Breach::Rollback)
    }

    pub(crate) fn into_error(self, test: &str) -> Error {
        let is_call = self.called || self.statement.as_deref().is_some_and(is_call);
        let (fact, help) = match (self.breach, &self.broken) {
            (Breach::Commit, _) => (
                "tried to commit the transaction that isolates it",
                "write `transaction.commit()` on a transaction made by `begin()`; `COMMIT` or `END` as SQL \
                 text ends the test's own transaction, and a test that has to send it needs \
                 `isolation = database`",
            ),
            (Breach::Rollback | Breach::Ended, _) if is_call => (
                "ended the transaction that isolates it, and lost all its rows",
                "write `#[green_light::test(isolation = database)]` for a test that calls a procedure which \
                 begins, commits or rolls back a transaction",
            ),
            (Breach::Rollback, _) => (
                "rolled back the transaction that isolates it, and all its rows with it",
                "write `transaction.rollback()` on a transaction made by `begin()`; `ROLLBACK` as SQL \
                 text, `OR ROLLBACK`, `ON CONFLICT ROLLBACK` and `RAISE(ROLLBACK)` end the test's own \
                 transaction (`ABORT` does not)",
            ),
            (Breach::Ended, _) => (
                "ended the transaction that isolates it, and lost all its rows",
                "write `commit()` or `rollback()` on a transaction made by `begin()`, not as SQL text; \
                 for a statement that commits by itself, as those that define tables do on some databases, write \
                 `#[green_light::test(isolation = database)]`, or move it into the schema",
            ),
            (Breach::CopyDropped, _) => (
                "dropped a `COPY` half-way, and lost its connection and all its rows",
                "call `finish()` or `abort(..)` on what `copy_in_raw` returns: sqlx closes the connection of \
                 one that is dropped before, in production as well",
            ),
            (Breach::Replaced, Some(broken)) => (broken.fact, broken.help),
            (Breach::Replaced, None) => (
                LOST,
                "do not close or detach the connection of a test, nor use it on a runtime that ends \
                 before the test does",
            ),
            (Breach::Elsewhere, _) => (
                "committed to its database on a connection of its own",
                "write `#[green_light::test(isolation = database)]` for a test whose application opens connections \
                 by the URL of the session",
            ),
            (Breach::Unbalanced, _) => (
                "gave its connection back with a savepoint still open",
                "end what `TransactionManager::begin` began, or write `begin()` on the connection; \
                 leave savepoints of sqlx alone in SQL text",
            ),
            (Breach::Unhooked, _) => (
                "set a hook in place of the one that keeps its transaction, and ended that",
                "write `#[green_light::test(isolation = database)]` for a test that sets a commit hook or a rollback \
                 hook and commits or rolls back as SQL text",
            ),
            (Breach::SetInProcess, _) => (
                "ran while something was set for the whole process, in which other tests run; it has been put back",
                "run what needs it in a process of its own: heap limits and the directory of temporary files hold for \
                 all connections of a process, also for those that a test opens by the URL of its session",
            ),
            (Breach::ProcessWide, _) => (
                "tried to set something for the whole process, in which other tests run; it was refused",
                "run what needs it in a process of its own: heap limits and the directory of temporary files hold for \
                 all connections of a process",
            ),
        };
        let mut text = format!("test `{test}` {fact}");
        let is_by_statement = matches!(
            self.breach,
            Breach::Commit | Breach::Rollback | Breach::Ended
        );
        let is_known = self.statement.is_some();
        match (self.statement, self.kind) {
            (_, Some(tables)) if self.breach == Breach::Elsewhere => {
                text.push_str(&format!("\n  changed: {tables}"));
            }
            (Some(statement), Some(kind)) if is_call => {
                text.push_str(&format!("\n  by: `{statement}`, which ran {kind}"));
            }
            (Some(statement), _) => text.push_str(&format!("\n  by: `{statement}`")),
            (None, Some(kind)) if is_call => {
                text.push_str(&format!("\n  by {kind}, in a procedure that was called"));
            }
            (None, Some(kind)) => {
                text.push_str(&format!("\n  by {kind}, sent as text, unprepared"));
            }
            (None, None) if is_by_statement => {
                text.push_str("\n  by a statement sent as text, unprepared");
            }
            (None, None) => {}
        }
        match self.place {
            Some(place) => text.push_str(&format!("\n  on a connection taken at {place}")),
            None if is_by_statement && !is_known => {
                text.push_str(" (`GREEN_LIGHT_DEBUG=1` shows where it was sent)");
            }
            None => {}
        }
        if self.refused_later > 0 {
            text.push_str(&format!(
                "\n  writes refused after that: {}",
                self.refused_later
            ));
        }
        let error = Error::new(Kind::Breach, text).help(help);
        match self.broken.and_then(|broken| broken.reason) {
            Some(reason) => error.because(reason),
            None => error,
        }
    }

    /// What ended the transaction of the test, for an error that follows from it.
    pub(crate) fn culprit(&self) -> String {
        match (&self.statement, &self.kind) {
            (Some(statement), _) => format!("`{statement}`"),
            (None, Some(kind)) => kind.clone(),
            (None, None) => "a statement".to_owned(),
        }
    }
}

/// Whether a statement calls a procedure.
pub(crate) fn is_call(statement: &str) -> bool {
    first_word(statement).eq_ignore_ascii_case("call")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_breach_names_test_statement_and_cure() {
        let mut record = BreachReport::new(Breach::Commit);
        record.statement = Some("COMMIT".to_owned());
        record.refused_later = 2;
        let text = record.into_error("shop::pays").to_string();
        assert!(
            text.starts_with("test `shop::pays` tried to commit"),
            "{text}"
        );
        assert!(
            text.contains("\n  by: `COMMIT`\n  writes refused after that: 2\n  help: write"),
            "{text}"
        );
        let text = BreachReport::new(Breach::Rollback)
            .into_error("t")
            .to_string();
        assert!(text.contains("by a statement sent as text"), "{text}");
    }
}
