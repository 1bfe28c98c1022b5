//! What a session of MySQL has been sent, by the server's own account.
//!
//! The profiler of a session keeps its last statements, also those that no callback of ours sees. Its
//! cost is below what can be measured; it is emptied after each test. Where it is missing, nothing is
//! known, and the connection of each test is closed after it.

use sqlx::{AssertSqlSafe, Executor, MySqlConnection, Row as _};

use super::mysql::MARK;

/// How many statements the server remembers at most.
const LENGTH: usize = 100;
const EMPTY: &str = "SET profiling_history_size = 0; SET profiling_history_size = 100";

const OWN: &str = "SET profiling_history_size";

/// Statements that end a transaction, by their first word; see the reference of MySQL, "Statements
/// that cause an implicit commit".
const ENDING: [&str; 29] = [
    "alter",
    "analyze",
    "begin",
    "cache",
    "change",
    "check",
    "commit",
    "create",
    "drop",
    "flush",
    "grant",
    "import",
    "install",
    "load",
    "lock",
    "optimize",
    "purge",
    "rename",
    "repair",
    "reset",
    "revoke",
    "rollback",
    "set",
    "shutdown",
    "start",
    "stop",
    "truncate",
    "uninstall",
    "unlock",
];
/// Statements that leave something in a session, by their first word, besides those that end
/// transactions.
const LEAVING: [&str; 6] = ["call", "handler", "prepare", "set", "use", "execute"];

/// The statements since the history was emptied, the oldest first.
#[derive(Debug)]
pub(super) struct History {
    statements: Vec<String>,
    is_kept: bool,
}

/// Starts to remember, where the server can.
pub(super) async fn start(connection: &mut MySqlConnection) -> Result<(), sqlx::Error> {
    let start = format!("SET profiling = 1; {EMPTY}");
    match connection.execute(AssertSqlSafe(start)).await {
        Err(sqlx::Error::Database(_)) | Ok(_) => Ok(()),
        Err(error) => Err(error),
    }
}

impl History {
    pub(super) async fn of(connection: &mut MySqlConnection) -> Result<Self, sqlx::Error> {
        Self::read(connection, "SELECT @@profiling; SHOW PROFILES").await
    }

    /// What was sent until now. Runs `statements` as well and forgets, all in one message.
    pub(super) async fn and_then(
        connection: &mut MySqlConnection,
        statements: &str,
    ) -> Result<Self, sqlx::Error> {
        let sql = format!("SELECT @@profiling; SHOW PROFILES; {statements}; {EMPTY}");
        Self::read(connection, &sql).await
    }

    async fn read(connection: &mut MySqlConnection, sql: &str) -> Result<Self, sqlx::Error> {
        let rows = connection.fetch_all(AssertSqlSafe(sql)).await?;
        let mut rows = rows.iter();
        let is_on = match rows.next() {
            Some(row) => row.try_get_unchecked::<i64, _>(0)? == 1,
            None => false,
        };
        let mut statements = rows
            .map(|row| row.try_get_unchecked::<String, _>(2))
            .collect::<Result<Vec<_>, _>>()?;
        statements.retain(|statement| !statement.starts_with(OWN));
        Ok(Self {
            is_kept: is_on && statements.len() < LENGTH,
            statements,
        })
    }

    /// Whether all statements are known.
    pub(super) fn is_kept(&self) -> bool {
        self.is_kept
    }

    /// The statement that ended the outer transaction: the first that can, since it was last there.
    pub(super) fn culprit(&self) -> Option<&str> {
        let seen = self
            .statements
            .iter()
            .rposition(|statement| statement == MARK)
            .map_or(0, |at| at + 1);
        self.statements[seen..]
            .iter()
            .find(|statement| ends_transactions(statement))
            .map(String::as_str)
    }

    /// Whether the session may not be as it was when new, once rolled back.
    pub(super) fn leaves_something(&self) -> bool {
        !self.is_kept || self.statements.iter().any(|statement| leaves(statement))
    }
}

fn ends_transactions(statement: &str) -> bool {
    let words = words(statement);
    let Some(first) = words.first() else {
        return false;
    };
    match (first.as_str(), words.get(1).map(String::as_str)) {
        ("create" | "drop", Some("temporary")) | ("load", Some("index")) => false,
        ("rollback", Some("to")) => false,
        ("rollback", Some("work")) => words.get(2).is_none_or(|word| word != "to"),
        ("set", _) => words
            .iter()
            .any(|word| word == "autocommit" || word == "password"),
        (first, _) => ENDING.contains(&first),
    }
}

fn leaves(statement: &str) -> bool {
    let words = words(statement);
    let Some(first) = words.first() else {
        return false;
    };
    LEAVING.contains(&first.as_str()) && words.get(1).is_none_or(|second| second != "transaction")
        || first == "create"
        || statement.contains(":=")
        || words.iter().any(|word| word == "get_lock")
        || words.iter().any(|word| word == "into") && statement.contains('@')
}

/// The words of a statement in lower case, without its comments.
fn words(statement: &str) -> Vec<String> {
    let mut rest = statement;
    let mut text = String::with_capacity(statement.len());
    while let Some(start) = rest.find("/*") {
        text.push_str(&rest[..start]);
        text.push(' ');
        rest = rest[start..]
            .find("*/")
            .map_or("", |end| &rest[start + end + 2..]);
    }
    text.push_str(rest);
    text.lines()
        .map(|line| line.split_once("-- ").map_or(line, |(before, _)| before))
        .flat_map(|line| line.split(|c: char| !c.is_ascii_alphanumeric() && c != '_'))
        .filter(|word| !word.is_empty())
        .map(str::to_ascii_lowercase)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_what_ends_a_transaction() {
        for statement in [
            "CREATE TABLE y (a int)",
            "/* c */ truncate u",
            "-- c\nCOMMIT",
            "ROLLBACK",
            "ROLLBACK WORK",
            "START TRANSACTION",
            "SET autocommit = 1",
            "LOCK TABLES u WRITE",
        ] {
            assert!(ends_transactions(statement), "{statement}");
        }
        for statement in [
            "CREATE TEMPORARY TABLE y (a int)",
            "ROLLBACK TO SAVEPOINT a",
            "rollback work to a",
            "INSERT INTO u VALUES ('commit')",
            "SET @a = 1",
            "",
        ] {
            assert!(!ends_transactions(statement), "{statement}");
        }
    }

    #[test]
    fn knows_what_outlives_a_rollback() {
        for statement in [
            "SET foreign_key_checks = 0",
            "SELECT GET_LOCK('a', 1)",
            "CREATE TEMPORARY TABLE t (a int)",
            "SELECT 1 INTO @a",
            "SELECT @a := 1",
            "USE other",
            "PREPARE p FROM 'SELECT 1'",
        ] {
            assert!(leaves(statement), "{statement}");
        }
        for statement in [
            "INSERT INTO u VALUES (1)",
            "SET TRANSACTION READ ONLY",
            "SELECT 1",
        ] {
            assert!(!leaves(statement), "{statement}");
        }
    }
}
