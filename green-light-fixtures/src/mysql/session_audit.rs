//! What has to be known of a session of MySQL: its variables, and the statements that green-light has sent to it.
//!
//! The variables are compared at the end of each test. The counters of the session are read when the outer
//! transaction has ended too early: they tell a commit from a rollback by the test, and from one by the server to
//! break a deadlock. `Handler_commit` would be simpler, but it counts the end of every statement that writes.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use sqlx::{AssertSqlSafe, Executor, MySqlConnection, Row as _, mysql::MySqlRow};

use crate::driver::breach::BreachCause;
use crate::driver::checkout::TRACED;
use crate::mysql::dialect::MySqlDialect;
use crate::mysql::statement_count::{StatementCounter, counters};
use crate::server::guard_savepoint::GuardSavepoint;
use crate::sql::dialect::Dialect as _;

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
/// Makes a session keep the texts of its last statements.
pub(crate) const REMEMBER: &str = "SET SESSION profiling = 1, SESSION profiling_history_size = 100";
/// How many statements of each kind a session has run.
const COUNTERS: &str = r"SHOW SESSION STATUS WHERE Variable_name LIKE 'Com\_%' AND Value > 0";
/// The statements that end no transaction, as those counters call them. Every other one is taken for a commit.
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
    "signal",
    // Without `LOCK TABLES` before it, it does nothing.
    "unlock_tables",
    "update",
    "update_multi",
    "help",
    "checksum",
    "preload_keys",
];

/// The statement that commits when it sets the variable to 1 again, which counts as no commit.
pub(crate) const BY_AUTOCOMMIT: &str = "`SET autocommit`";

/// How the names of definitions begin, as those counters call them.
const DEFINITIONS: [&str; 7] = [
    "alter_", "create_", "drop_", "grant", "rename_", "revoke", "truncate",
];

/// The variables of a session when it was new.
#[derive(Debug)]
pub(crate) struct SessionVariables {
    query: String,
    settings: String,
}

impl SessionVariables {
    pub(crate) async fn of(connection: &mut MySqlConnection) -> Result<Self, sqlx::Error> {
        let mut refusal = None;
        for names in SETTINGS {
            // What the last insert of a test has left is set back.
            let query = format!("SELECT concat_ws('|', {names}), last_insert_id(0)");
            match connection.fetch_one(AssertSqlSafe(query.as_str())).await {
                Ok(row) => {
                    let settings = row.try_get_unchecked(0)?;
                    return Ok(Self { query, settings });
                }
                Err(error) => refusal = Some(error),
            }
        }
        Err(refusal.unwrap_or(sqlx::Error::RowNotFound))
    }

    /// What to ask a session, for a row that [`are_those_of`](Self::are_those_of) knows.
    pub(crate) fn query(&self) -> &str {
        &self.query
    }

    /// Whether the session that replied with `row` has the same.
    pub(crate) fn are_those_of(&self, row: Option<&MySqlRow>) -> bool {
        let settings = row.and_then(|row| row.try_get_unchecked::<String, _>(0).ok());
        settings.as_ref() == Some(&self.settings)
    }
}

/// How an outer transaction ended that the test should not have ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum TransactionFate {
    /// Something was committed.
    Committed(BreachCause),
    /// A statement rolled it back.
    RolledBack(BreachCause),
    /// The server rolled it back.
    Deadlocked,
}

/// What green-light itself has sent to a session.
#[derive(Debug)]
pub(crate) struct SessionAudit {
    pub(crate) guard_savepoint: GuardSavepoint,
    /// How often an outer transaction was begun in it for another test.
    restarts: AtomicU64,
    /// How many `SET` statements it ran when it was new.
    settings: AtomicU64,
    /// Whether the server sets no savepoint in the outer transaction any more.
    is_without_savepoints: AtomicBool,
    pub(crate) counter: StatementCounter,
}

impl SessionAudit {
    pub(crate) fn new(guard_savepoint: GuardSavepoint) -> Self {
        Self {
            guard_savepoint,
            restarts: AtomicU64::new(0),
            settings: AtomicU64::new(u64::MAX),
            is_without_savepoints: AtomicBool::new(false),
            counter: StatementCounter::new(),
        }
    }

    /// A session is new, its outer transaction open.
    pub(crate) fn open(&self) {
        self.restarts.store(0, Ordering::Relaxed);
        self.is_without_savepoints.store(false, Ordering::Relaxed);
        self.counter.forget();
    }

    /// The server sets no savepoint in the outer transaction any more. Its session goes to no other test.
    pub(crate) fn lose_savepoints(&self) {
        self.is_without_savepoints.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_without_savepoints(&self) -> bool {
        self.is_without_savepoints.load(Ordering::Relaxed)
    }

    /// Whether the outer transaction is still the one that green-light has begun, without a savepoint that tells.
    pub(crate) async fn is_intact(
        &self,
        connection: &mut MySqlConnection,
    ) -> Result<bool, sqlx::Error> {
        // MariaDB alone has tables for which there are no savepoints, and it knows this variable.
        let row = connection.fetch_one("SELECT @@in_transaction").await?;
        let is_open = row.try_get_unchecked::<i64, _>(0)? == 1;
        Ok(is_open && self.hidden_end(connection).await?.is_none())
    }

    /// The kind of a statement that has ended an outer transaction, or begun another one, if the session has run more of
    /// these than green-light has sent.
    pub(crate) async fn hidden_end(
        &self,
        connection: &mut MySqlConnection,
    ) -> Result<Option<BreachCause>, sqlx::Error> {
        let restarts = self.restarts.load(Ordering::Relaxed);
        let counted = counted(connection).await?;
        Ok(hidden_end(&counted, restarts).map(BreachCause::Kind))
    }

    /// Whether a text may have committed by [`BY_AUTOCOMMIT`] alone, and begun another transaction. The session is in one
    /// only where `autocommit` is 0 still.
    pub(crate) async fn may_have_committed_by_autocommit(
        connection: &mut MySqlConnection,
    ) -> Result<bool, sqlx::Error> {
        let row = connection.fetch_one("SELECT @@autocommit").await?;
        Ok(row.try_get_unchecked::<i64, _>(0)? == 0)
    }

    /// The first session is new, and every other one runs the same statements at first.
    pub(crate) async fn begin(&self, connection: &mut MySqlConnection) -> Result<(), sqlx::Error> {
        let counted = counted(connection).await?;
        self.counter.learn(connection).await?;
        let made = counted.iter().find(|(name, _)| name == "set_option");
        let made = made.map_or(0, |(_, value)| *value);
        self.settings.store(made, Ordering::Relaxed);
        Ok(())
    }

    /// A test ended as it should, and the next transaction has begun. The test and green-light have sent so many
    /// texts meanwhile.
    pub(crate) fn restarted(&self, texts: u64) {
        self.restarts.fetch_add(1, Ordering::Relaxed);
        self.counter.add(texts);
    }

    /// How the outer transaction ended, now that it is gone.
    pub(crate) async fn fate(
        &self,
        connection: &mut MySqlConnection,
    ) -> Result<TransactionFate, sqlx::Error> {
        let counted = counted(connection).await?;
        let mut fate = fate(
            &counted,
            self.restarts.load(Ordering::Relaxed),
            self.settings.load(Ordering::Relaxed),
        );
        if let TransactionFate::Committed(by) | TransactionFate::RolledBack(by) = &mut fate
            && *TRACED
            && let Some(text) = remembered(connection, &self.guard_savepoint).await
        {
            *by = BreachCause::Text(text);
        }
        Ok(fate)
    }
}

/// How many statements of each kind a session has run, without `Com_`.
async fn counted(connection: &mut MySqlConnection) -> Result<Vec<(String, u64)>, sqlx::Error> {
    counters(&connection.fetch_all(COUNTERS).await?)
}

/// The first statement of the last use of a session that by its words ends transactions, if the session keeps the
/// texts of its statements.
async fn remembered(
    connection: &mut MySqlConnection,
    guard_savepoint: &GuardSavepoint,
) -> Option<String> {
    let rows = connection.fetch_all("SHOW PROFILES").await.ok()?;
    let texts: Vec<String> = rows
        .iter()
        .filter_map(|row| row.try_get_unchecked(2).ok())
        .collect();
    // Ours come before and after what the test has sent.
    let is_ours = |text: &String| text.contains(&*guard_savepoint.set);
    let last = texts.iter().rposition(is_ours)?;
    let first = texts[..last]
        .iter()
        .rposition(is_ours)
        .map_or(0, |at| at + 1);
    let sent = &texts[first..last];
    let by_words = sent.iter().find(|text| MySqlDialect.ends_transaction(text));
    by_words.cloned()
}

/// Of the statements by which a text can commit and then write again, one that was run more often than green-light has.
fn hidden_end(counted: &[(String, u64)], restarts: u64) -> Option<String> {
    let own = |kind: &str| match kind {
        "commit" => Some(0),
        "rollback" => Some(restarts),
        "begin" => Some(restarts + 1),
        _ if kind.ends_with("_temporary_table") => None,
        // They commit first. After that, a text writes again once it has set `autocommit` to 0.
        _ => DEFINITIONS
            .iter()
            .any(|of| kind.starts_with(of))
            .then_some(0),
    };
    let kinds = [Some("commit"), Some("rollback"), Some("begin"), None];
    let found = kinds.into_iter().find_map(|wanted| {
        let mut found = counted.iter();
        found.find(|(kind, value)| {
            wanted.is_none_or(|wanted| kind == wanted) && own(kind).is_some_and(|own| *value > own)
        })
    });
    found.map(|(kind, _)| in_words(kind))
}

/// A kind of statement as a user writes it.
fn in_words(kind: &str) -> String {
    format!("`{}`", kind.replace('_', " ").to_uppercase())
}

/// What `counted` says of a session in which green-light has begun `restarts` more transactions after the first.
fn fate(counted: &[(String, u64)], restarts: u64, settings: u64) -> TransactionFate {
    let (mut ended, mut rolled_back, mut set) = (Vec::new(), false, false);
    // A session that has called a procedure is not used by another test.
    let called = counted
        .iter()
        .any(|(name, value)| name == "call_procedure" && *value > 0);
    let by = if called {
        BreachCause::Called
    } else {
        BreachCause::Kind
    };
    for (name, value) in counted {
        match name.as_str() {
            "begin" if *value <= restarts + 1 => {}
            "rollback" if *value <= restarts => {}
            "rollback" => rolled_back = true,
            "set_option" => set = *value > settings,
            harmless if is_harmless(harmless) => {}
            kind => ended.push(in_words(kind)),
        }
    }
    // A session that has counted less than green-light sent was sent `FLUSH STATUS`, which commits.
    let begun = counted.iter().find(|(name, _)| name == "begin");
    if begun.is_none_or(|(_, value)| *value <= restarts) {
        ended.push("`FLUSH STATUS`".to_owned());
    }
    let rollback = "`ROLLBACK`".to_owned();
    match (ended.is_empty(), rolled_back) {
        (true, false) if set => TransactionFate::Committed(by(BY_AUTOCOMMIT.to_owned())),
        (true, false) => TransactionFate::Deadlocked,
        (true, true) => TransactionFate::RolledBack(by(rollback)),
        (false, _) => {
            ended.extend(rolled_back.then_some(rollback));
            TransactionFate::Committed(by(ended.join(" or ")))
        }
    }
}

fn is_harmless(name: &str) -> bool {
    // In a transaction of another kind, XA does nothing.
    ["show_", "xa_"].iter().any(|kind| name.starts_with(kind))
        || name.starts_with("stmt_")
        || HARMLESS.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_an_end_behind_a_savepoint_that_was_set_again() {
        let found = |kind: &str, value| {
            let own = [("begin", 3), ("rollback", 2), ("handler_open", 1)];
            let own = own.into_iter().filter(|(name, _)| *name != kind);
            let all: Vec<_> = own
                .chain([(kind, value)])
                .map(|(name, value)| (name.to_owned(), value))
                .collect();
            hidden_end(&all, 2)
        };
        assert_eq!(found("insert", 9), None);
        assert_eq!(found("create_temporary_table", 1), None);
        for (kind, value, by) in [
            ("commit", 1, "`COMMIT`"),
            ("rollback", 3, "`ROLLBACK`"),
            ("begin", 4, "`BEGIN`"),
            ("create_table", 1, "`CREATE TABLE`"),
            ("truncate", 1, "`TRUNCATE`"),
        ] {
            assert_eq!(found(kind, value).as_deref(), Some(by));
        }
    }

    #[test]
    fn tells_a_commit_from_a_rollback_and_both_from_a_deadlock() {
        let fate_of = |more: &[(&str, u64)]| {
            let own = [
                ("begin", 3),
                ("rollback", 2),
                ("insert", 9),
                ("set_option", 4),
            ];
            let own = own
                .iter()
                .filter(|(name, _)| more.iter().all(|(other, _)| other != name));
            let all: Vec<_> = own
                .chain(more)
                .map(|(n, v)| ((*n).to_owned(), *v))
                .collect();
            fate(&all, 2, 4)
        };
        assert_eq!(fate_of(&[]), TransactionFate::Deadlocked);
        assert_eq!(
            fate_of(&[("stmt_execute", 4), ("show_status", 1)]),
            TransactionFate::Deadlocked
        );
        let kind = |kind: &str| BreachCause::Kind(kind.to_owned());
        assert_eq!(
            fate_of(&[("rollback", 3)]),
            TransactionFate::RolledBack(kind("`ROLLBACK`"))
        );
        for (ended, by) in [
            (("begin", 4), "`BEGIN`"),
            (("create_table", 1), "`CREATE TABLE`"),
            (("commit", 1), "`COMMIT`"),
            (("new", 1), "`NEW`"),
            (("set_option", 5), "`SET autocommit`"),
            (("begin", 0), "`FLUSH STATUS`"),
        ] {
            assert_eq!(
                fate_of(&[ended]),
                TransactionFate::Committed(kind(by)),
                "{ended:?}"
            );
        }
        assert_eq!(
            fate_of(&[("commit", 1), ("rollback", 3)]),
            TransactionFate::Committed(kind("`COMMIT` or `ROLLBACK`"))
        );
        assert_eq!(
            fate_of(&[("begin", 4), ("call_procedure", 1)]),
            TransactionFate::Committed(BreachCause::Called("`BEGIN`".to_owned()))
        );
    }
}
