//! What is to be known of a session of MySQL: its settings, and what it was told to do.
//!
//! The settings are compared at the end of each test. The counters are read when the outer transaction
//! is found to be gone, to tell a commit from a rollback, and both from the server's own way out of
//! a deadlock. `Handler_commit` would be simpler, but it counts the end of every statement that writes.

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
/// What a session has done, by kind of statement.
const COUNTERS: &str = r"SHOW SESSION STATUS WHERE Variable_name LIKE 'Com\_%' AND Value > 0";
/// The statements that end no transaction, as those counters call them. Whatever is not known to be
/// one of these is taken for a commit.
const HARMLESS: [&str; 35] = [
    "admin_commands",
    "call_procedure",
    "change_db",
    "compound_sql",
    "create_temporary_table",
    "dealloc_sql",
    "delete",
    "delete_multi",
    "do",
    "drop_temporary_table",
    "empty_query",
    "execute_immediate",
    "execute_sql",
    "explain_other",
    "get_diagnostics",
    "insert",
    "insert_select",
    "kill",
    "load",
    "multi",
    "prepare_sql",
    "release_savepoint",
    "replace",
    "replace_select",
    "resignal",
    "rollback_to_savepoint",
    "savepoint",
    "select",
    "set_option",
    "signal",
    "update",
    "update_multi",
    "help",
    "checksum",
    "preload_keys",
];

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

/// How often a session was begun anew for another test.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    restarts: AtomicU64,
}

impl Ledger {
    /// A session is new, its outer transaction open.
    pub(super) fn open(&self) {
        self.restarts.store(0, Ordering::Relaxed);
    }

    /// A test ended as it should, and the next transaction has been begun.
    pub(super) fn restarted(&self) {
        self.restarts.fetch_add(1, Ordering::Relaxed);
    }

    /// How the outer transaction ended, now that it is gone.
    pub(super) async fn fate(&self, connection: &mut MySqlConnection) -> Result<Fate, sqlx::Error> {
        let rows = connection.fetch_all(COUNTERS).await?;
        let counted: Result<Vec<(String, u64)>, sqlx::Error> = rows
            .iter()
            .map(|row| {
                let value: String = row.try_get_unchecked(1)?;
                Ok((text(row)?, value.parse().unwrap_or(u64::MAX)))
            })
            .collect();
        let counted = counted?;
        let counted = counted.iter().map(|(name, value)| (name.as_str(), *value));
        Ok(fate(counted, self.restarts.load(Ordering::Relaxed)))
    }
}

/// What `counted` says of a session that green-light has begun anew `restarts` times.
fn fate<'a>(counted: impl Iterator<Item = (&'a str, u64)>, restarts: u64) -> Fate {
    let mut fate = Fate::Deadlocked;
    for (name, value) in counted {
        let name = name.to_ascii_lowercase();
        match name.strip_prefix("com_").unwrap_or(&name) {
            "begin" if value <= restarts + 1 => {}
            "rollback" if value <= restarts => {}
            "rollback" => fate = Fate::RolledBack,
            harmless if is_harmless(harmless) => {}
            _ => return Fate::Committed,
        }
    }
    fate
}

fn is_harmless(name: &str) -> bool {
    name.starts_with("show_") || name.starts_with("stmt_") || HARMLESS.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_a_commit_from_a_rollback_and_both_from_a_deadlock() {
        let own = [("Com_begin", 3), ("Com_rollback", 2), ("Com_insert", 9)];
        let fate_of = |more: &[(&'static str, u64)]| {
            let all = own
                .iter()
                .filter(|(name, _)| more.iter().all(|(other, _)| other != name));
            fate(all.chain(more).copied(), 2)
        };
        assert_eq!(fate_of(&[]), Fate::Deadlocked);
        assert_eq!(
            fate_of(&[("Com_stmt_execute", 4), ("Com_show_status", 1)]),
            Fate::Deadlocked
        );
        assert_eq!(fate_of(&[("Com_rollback", 3)]), Fate::RolledBack);
        for ended in [
            ("Com_begin", 4),
            ("Com_create_table", 1),
            ("Com_commit", 1),
            ("Com_new", 1),
        ] {
            assert_eq!(fate_of(&[ended]), Fate::Committed, "{ended:?}");
        }
    }
}
