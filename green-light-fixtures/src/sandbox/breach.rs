//! What escaped, or tried to, and who did it.
//!
//! A breach belongs to the lease during which it happened. Its text names the test, the statement
//! where that was seen, and what to write instead.

use std::time::Instant;

use crate::error::{Error, Kind};

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
    /// A savepoint was begun by hand and not ended when the connection was given back.
    Unbalanced,
}

/// What is known of the statement that caused a breach.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum By {
    /// Its text.
    Text(String),
    /// Its kind, as the database counts.
    #[cfg_attr(not(feature = "mysql"), expect(dead_code, reason = "MySQL counts"))]
    Kind(String),
}

/// One breach, with what is known of the statement that caused it.
#[derive(Debug)]
pub(super) struct Record {
    pub(super) breach: Breach,
    pub(super) at: Instant,
    pub(super) statement: Option<String>,
    pub(super) kind: Option<String>,
    /// Where the connection was taken that it was sent on.
    pub(super) place: Option<String>,
    /// How often writes were refused afterwards, on the same connection.
    pub(super) refused_later: usize,
}

impl Record {
    pub(super) fn new(breach: Breach) -> Self {
        Self {
            breach,
            at: Instant::now(),
            statement: None,
            kind: None,
            place: None,
            refused_later: 0,
        }
    }

    /// Whether a hook of the database tells of it.
    pub(super) fn is_by_hook(&self) -> bool {
        matches!(self.breach, Breach::Commit | Breach::Rollback)
    }

    pub(super) fn into_error(self, test: &str) -> Error {
        let (fact, help) = match self.breach {
            Breach::Commit => (
                "tried to commit the transaction that isolates it",
                "write `transaction.commit()` on a transaction made by `begin()`; \
                 `COMMIT` or `END` as SQL text ends the test's own transaction",
            ),
            Breach::Rollback => (
                "rolled back the transaction that isolates it, and all its rows with it",
                "write `transaction.rollback()` on a transaction made by `begin()`; `ROLLBACK` as SQL \
                 text, `OR ROLLBACK`, `ON CONFLICT ROLLBACK` and `RAISE(ROLLBACK)` end the test's own \
                 transaction (`ABORT` does not)",
            ),
            Breach::Ended => (
                "ended the transaction that isolates it, and lost all its rows",
                "write `commit()` or `rollback()` on a transaction made by `begin()`, not as SQL text; \
                 if a statement has to commit, as those that define tables do on MySQL, give the test \
                 a database of its own",
            ),
            Breach::Replaced => (
                "lost its connection, and all its rows with it",
                "do not close or detach the connection of a test, nor use it on a runtime that ends \
                 before the test does; on MySQL do not drop a prepared query (all but \
                 `execute_unprepared`) that is under way either: sqlx cannot use its connection after \
                 that, in production neither",
            ),
            Breach::Unbalanced => (
                "gave its connection back with a savepoint still open",
                "end what `TransactionManager::begin` began, or write `begin()` on the connection; \
                 leave savepoints of sqlx alone in SQL text",
            ),
        };
        let mut text = format!("test `{test}` {fact}");
        let is_by_statement = matches!(
            self.breach,
            Breach::Commit | Breach::Rollback | Breach::Ended
        );
        let is_known = self.statement.is_some();
        match (self.statement, self.kind) {
            (Some(statement), _) => text.push_str(&format!("\n  by: `{statement}`")),
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
        Error::new(Kind::Breach, text).help(help)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_breach_names_test_statement_and_cure() {
        let mut record = Record::new(Breach::Commit);
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
        let text = Record::new(Breach::Rollback).into_error("t").to_string();
        assert!(text.contains("by a statement sent as text"), "{text}");
    }
}
