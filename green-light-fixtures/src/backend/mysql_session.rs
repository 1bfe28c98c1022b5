//! What is to be known of a session of MySQL: its settings, and how often it committed.
//!
//! The settings are compared at the end of each test. The counters are read when a session is new and
//! when its outer transaction is found to be gone, to tell a commit from a rollback, and both from
//! the server's own way out of a deadlock.

use std::sync::atomic::{AtomicU64, Ordering};

use sqlx::{AssertSqlSafe, Executor, MySqlConnection, Row as _, mysql::MySqlRow};

/// What a test can change in its session so that a rollback does not undo it. The names of the last
/// three differ between MySQL and MariaDB.
const SETTINGS: [&str; 2] = [
    "@@sql_mode, @@foreign_key_checks, @@unique_checks, @@autocommit, @@time_zone, \
     @@collation_connection, @@character_set_client, @@character_set_results, @@sql_safe_updates, \
     database(), @@max_statement_time, @@tx_isolation, @@tx_read_only",
    "@@sql_mode, @@foreign_key_checks, @@unique_checks, @@autocommit, @@time_zone, \
     @@collation_connection, @@character_set_client, @@character_set_results, @@sql_safe_updates, \
     database(), @@max_execution_time, @@transaction_isolation, @@transaction_read_only",
];
const COUNTERS: &str =
    "SHOW SESSION STATUS WHERE Variable_name IN ('Handler_commit', 'Com_rollback')";

/// How a session looked when it was new.
#[derive(Debug)]
pub(crate) struct Looks {
    query: String,
    settings: String,
}

impl Looks {
    pub(super) async fn of(connection: &mut MySqlConnection) -> Result<Self, sqlx::Error> {
        let mut refusal = None;
        for names in SETTINGS {
            let query = format!("SELECT concat_ws('|', {names})");
            match connection.fetch_one(AssertSqlSafe(query.as_str())).await {
                Ok(row) => {
                    let settings = text(&row)?;
                    return Ok(Self { query, settings });
                }
                Err(error) => refusal = Some(error),
            }
        }
        Err(refusal.unwrap_or(sqlx::Error::RowNotFound))
    }

    /// Whether the session looks as it did. Runs `statements` as well, all in one message.
    pub(super) async fn are_kept(
        &self,
        connection: &mut MySqlConnection,
        statements: &str,
    ) -> Result<bool, sqlx::Error> {
        let sql = format!("{}; {statements}", self.query);
        let rows = connection.fetch_all(AssertSqlSafe(sql)).await?;
        Ok(match rows.first() {
            Some(row) => text(row)? == self.settings,
            None => false,
        })
    }
}

fn text(row: &MySqlRow) -> Result<String, sqlx::Error> {
    row.try_get_unchecked(0)
}

/// How a transaction ended that nobody was to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// Something was committed.
    Committed,
    /// A statement rolled it back.
    RolledBack,
    /// The server rolled it back.
    Deadlocked,
}

/// How often a session committed and rolled back while that was expected.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    commits: AtomicU64,
    rollbacks: AtomicU64,
}

impl Ledger {
    /// Begins with the counters of a session that is new.
    pub(super) async fn open(&self, connection: &mut MySqlConnection) -> Result<(), sqlx::Error> {
        let (commits, rollbacks) = counters(connection).await?;
        self.commits.store(commits, Ordering::Relaxed);
        self.rollbacks.store(rollbacks, Ordering::Relaxed);
        Ok(())
    }

    /// A test ended as it should.
    pub(super) fn rolled_back(&self) {
        self.rollbacks.fetch_add(1, Ordering::Relaxed);
    }

    /// How the outer transaction ended, now that it is gone.
    pub(super) async fn fate(&self, connection: &mut MySqlConnection) -> Result<Fate, sqlx::Error> {
        let (commits, rollbacks) = counters(connection).await?;
        Ok(if commits > self.commits.load(Ordering::Relaxed) {
            Fate::Committed
        } else if rollbacks > self.rollbacks.load(Ordering::Relaxed) {
            Fate::RolledBack
        } else {
            Fate::Deadlocked
        })
    }
}

async fn counters(connection: &mut MySqlConnection) -> Result<(u64, u64), sqlx::Error> {
    let (mut commits, mut rollbacks) = (0, 0);
    for row in connection.fetch_all(COUNTERS).await? {
        let (name, value): (String, String) =
            (row.try_get_unchecked(0)?, row.try_get_unchecked(1)?);
        let value = value.parse().unwrap_or_default();
        if name.eq_ignore_ascii_case("Handler_commit") {
            commits = value;
        } else {
            rollbacks = value;
        }
    }
    Ok((commits, rollbacks))
}
