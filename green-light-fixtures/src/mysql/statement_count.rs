//! Whether a test on MySQL sent a text that was not reported, which may have left something in its session: a
//! variable, a lock, a temporary table.
//!
//! SeaORM reports what it prepares, and a session reports its own texts. A text that is sent in a transaction of the
//! application is not reported. To begin one, sqlx sets a savepoint whose name is known. A savepoint of this name
//! exists before, below the guard savepoint, and is replaced when another is set: if it still exists at the end of
//! a test, no such text was sent.
//!
//! Otherwise the session is asked how many statements it has run. That takes the server longer than many a test, so
//! it happens after the test has ended. Those that were neither prepared nor about savepoints came as texts. If there
//! are more of them than were reported, the next test gets another session.
//!
//! Another session in every such case would be simpler. It was measured: on MariaDB 10.11 a test with two transactions
//! then takes 2.8 ms in place of 1.6 ms.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use sqlx::{Executor as _, MySqlConnection, Row as _, mysql::MySqlRow};

use crate::server::guard_savepoint::BASE_DEPTH;

/// In place of a number of texts that is not known.
const UNKNOWN: u64 = u64::MAX;
/// Asks for all that is needed here, and for nothing else, which would take longer.
const COUNTERS: &str = "SHOW SESSION STATUS WHERE Variable_name IN ('Questions', \
    'Com_stmt_execute', 'Com_stmt_reprepare', 'Com_savepoint', 'Com_release_savepoint', 'Com_rollback_to_savepoint')";
/// What a session counts as statements that are no texts, or are texts that leave nothing.
const OTHERS: [&str; 4] = [
    "stmt_execute",
    "savepoint",
    "release_savepoint",
    "rollback_to_savepoint",
];

/// The savepoint that a transaction of the application replaces by its own.
pub(crate) fn savepoint() -> String {
    format!("_sqlx_savepoint_{BASE_DEPTH}")
}

/// How many texts a session has run, besides those about savepoints.
#[derive(Debug)]
pub(crate) struct StatementCounter {
    known: AtomicU64,
    /// How many a new session has run. All new sessions run the same ones.
    of_new: AtomicU64,
    /// Whether the last test may have sent one that was not reported.
    is_uncertain: AtomicBool,
}

impl StatementCounter {
    pub(crate) fn new() -> Self {
        Self {
            known: AtomicU64::new(UNKNOWN),
            of_new: AtomicU64::new(UNKNOWN),
            is_uncertain: AtomicBool::new(false),
        }
    }

    /// The session is another one.
    pub(crate) fn forget(&self) {
        self.known.store(UNKNOWN, Ordering::Relaxed);
        self.is_uncertain.store(false, Ordering::Relaxed);
    }

    /// All that the session has run was sent by green-light.
    pub(crate) async fn learn(&self, connection: &mut MySqlConnection) -> Result<(), sqlx::Error> {
        let counted = counters(&connection.fetch_all(COUNTERS).await?)?;
        let found = found(&counted).unwrap_or(UNKNOWN);
        self.known.store(found, Ordering::Relaxed);
        Ok(())
    }

    /// The session is new. Only the first such session is asked, since that takes the server long.
    pub(crate) async fn learn_of_new(
        &self,
        connection: &mut MySqlConnection,
    ) -> Result<(), sqlx::Error> {
        let of_new = self.of_new.load(Ordering::Relaxed);
        if of_new != UNKNOWN {
            self.known.store(of_new, Ordering::Relaxed);
            return Ok(());
        }
        self.learn(connection).await?;
        let known = self.known.load(Ordering::Relaxed);
        if known != UNKNOWN {
            // Other ones are not asked, and the question is a text, too.
            self.of_new.store(known - 1, Ordering::Relaxed);
        }
        // `ROW_COUNT()` is that of a session that was not asked.
        connection.execute("DO 0").await?;
        self.add(1);
        Ok(())
    }

    /// The last test may have sent one that was not reported.
    pub(crate) fn mark_uncertain(&self) {
        self.is_uncertain.store(true, Ordering::Relaxed);
    }

    /// Whether the session has run nothing but what is known. Asks it if that is uncertain.
    pub(crate) async fn verify(
        &self,
        connection: &mut MySqlConnection,
    ) -> Result<bool, sqlx::Error> {
        if !self.is_uncertain.swap(false, Ordering::Relaxed) {
            return Ok(true);
        }
        // The question is a text, too.
        self.add(1);
        let counted = counters(&connection.fetch_all(COUNTERS).await?)?;
        Ok(self.are_all_in(&counted))
    }

    /// So many more are known.
    pub(crate) fn add(&self, texts: u64) {
        let known = self.known.load(Ordering::Relaxed);
        self.known
            .store(known.saturating_add(texts), Ordering::Relaxed);
    }

    /// Whether `counted` has no more than what is known.
    fn are_all_in(&self, counted: &[(String, u64)]) -> bool {
        let known = self.known.load(Ordering::Relaxed);
        known != UNKNOWN && found(counted) == Some(known)
    }
}

/// The counters that a session has replied with, without `Com_`.
pub(crate) fn counters(rows: &[MySqlRow]) -> Result<Vec<(String, u64)>, sqlx::Error> {
    rows.iter()
        .map(|row| {
            let name: String = row.try_get_unchecked(0)?;
            let value: String = row.try_get_unchecked(1)?;
            let name = name.to_ascii_lowercase();
            let name = name.strip_prefix("com_").unwrap_or(&name).to_owned();
            Ok((name, value.parse().unwrap_or(u64::MAX)))
        })
        .collect()
}

/// How many texts `counted` has. Nothing if that makes no sense.
fn found(counted: &[(String, u64)]) -> Option<u64> {
    let of = |kind: &str| {
        let counter = counted.iter().find(|(name, _)| name == kind);
        counter.map_or(0, |(_, value)| *value)
    };
    let others = OTHERS.iter().map(|kind| of(kind)).sum();
    // A statement that the server prepares again, because its table has changed, is counted as run twice.
    let questions = of("questions") + of("stmt_reprepare");
    questions.checked_sub(others)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_a_text_that_is_not_known() {
        let counted = |questions| {
            [
                ("questions", questions),
                ("savepoint", 3),
                ("stmt_execute", 2),
                ("insert", 2),
            ]
            .map(|(name, value)| (name.to_owned(), value))
        };
        let texts = StatementCounter::new();
        assert!(!texts.are_all_in(&counted(10)), "nothing is known");
        let learn = |counted: &[(String, u64)]| {
            let found = found(counted).unwrap_or(UNKNOWN);
            texts.known.store(found, Ordering::Relaxed);
        };
        learn(&counted(10));
        assert!(texts.are_all_in(&counted(10)));
        texts.add(2);
        assert!(texts.are_all_in(&counted(12)));
        assert!(!texts.are_all_in(&counted(13)));
        assert!(!texts.are_all_in(&counted(11)));
        learn(&counted(4));
        assert!(!texts.are_all_in(&counted(4)), "that makes no sense");
        learn(&counted(10));
        texts.forget();
        texts.add(1);
        assert!(!texts.are_all_in(&counted(11)));
    }
}
