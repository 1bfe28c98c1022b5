//! Statements: what can be told from their words, and how messages show them.

use crate::backend::Backend;

use crate::sql::pieces::{pieces, tokens};

/// Statements that end a transaction on MySQL, by their first word; see its reference, "Statements
/// that cause an implicit commit".
const ENDING: [&str; 24] = [
    "alter",
    "analyze",
    "begin",
    "cache",
    "change",
    "check",
    "commit",
    "flush",
    "grant",
    "import",
    "install",
    "lock",
    "optimize",
    "purge",
    "rename",
    "repair",
    "reset",
    "revoke",
    "shutdown",
    "start",
    "stop",
    "truncate",
    "uninstall",
    "unlock",
];
/// Statements of MySQL that leave nothing in a session but what a rollback takes away, by their first
/// word. All others may, such as `CALL`, `SET` and the compound statements of MariaDB.
const PASSING: [&str; 17] = [
    "delete",
    "desc",
    "describe",
    "do",
    "explain",
    "help",
    "insert",
    "release",
    "replace",
    "rollback",
    "savepoint",
    "select",
    "show",
    "table",
    "update",
    "values",
    "with",
];
/// What is in a statement or a program that leaves something in a session.
const LEAVING: [&str; 4] = ["@", "get_lock", "session", "temporary"];

/// Whether a text has a word that ends a transaction, quoted or not.
pub(crate) fn ends_transactions(text: &str) -> bool {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .any(|word| {
            ["commit", "end", "rollback", "abort", "prepare"]
                .iter()
                .any(|known| word.eq_ignore_ascii_case(known))
        })
}

/// Whether a text has a statement that ends the transaction it is sent in, on MySQL.
pub(crate) fn ends_transactions_on_mysql(text: &str) -> bool {
    text.split(';').any(|statement| {
        let mut words = words(statement);
        let first = words.next().unwrap_or_default();
        let second = words.next().unwrap_or_default();
        if is(first, "rollback") {
            return !is(second, "to") && !words.next().is_some_and(|third| is(third, "to"));
        }
        match () {
            () if is(first, "create") || is(first, "drop") => !is(second, "temporary"),
            () if is(first, "load") => !is(second, "index"),
            () if is(first, "set") => is(second, "autocommit") || is(second, "password"),
            () => ENDING.iter().any(|known| is(first, known)),
        }
    })
}

/// Whether a text has a statement that may change what other statements return.
pub(crate) fn defines(text: &str) -> bool {
    text.split(';').any(|statement| {
        let first = words(statement).next().unwrap_or_default();
        ["alter", "call", "create", "do", "drop"]
            .iter()
            .any(|known| is(first, known))
    })
}

/// Whether a text may leave something in a session of MySQL that no rollback takes away.
pub(crate) fn stays_on_mysql(text: &str) -> bool {
    leaves_on_mysql(text)
        || pieces(text, Backend::MySql).any(|statement| {
            let first = words(statement).next().unwrap_or_default();
            !first.is_empty() && !PASSING.iter().any(|known| is(first, known))
        })
}

/// Whether a text of MySQL has a word by which a statement, or a program that it calls, leaves something
/// in a session.
pub(crate) fn leaves_on_mysql(text: &str) -> bool {
    tokens(text, Backend::MySql).any(|token| LEAVING.iter().any(|known| is(token, known)))
}

/// How many statements a text for MySQL has that are not about savepoints.
pub(crate) fn besides_savepoints_on_mysql(text: &str) -> u64 {
    let others = pieces(text, Backend::MySql).filter(|piece| !is_about_savepoints(piece));
    others.map(|_| 1).sum()
}

/// Whether a statement of MySQL sets a savepoint, releases it or goes back to it.
pub(crate) fn is_about_savepoints(statement: &str) -> bool {
    let mut words = words(statement);
    let first = words.next().unwrap_or_default();
    match () {
        () if is(first, "rollback") => words.take(2).any(|word| is(word, "to")),
        () => is(first, "savepoint") || is(first, "release"),
    }
}

/// The first word of a statement, without the comments before it.
pub(crate) fn first_word(statement: &str) -> &str {
    words(statement).next().unwrap_or_default()
}

/// The words of a statement, without the comments before it.
fn words(statement: &str) -> impl Iterator<Item = &str> {
    let mut rest = statement.trim_start();
    loop {
        // MySQL runs what such a comment says.
        let is_run = rest.starts_with("/*!") || rest.starts_with("/*M!");
        let end = if rest.starts_with("/*") && !is_run {
            rest.find("*/").map(|end| end + 2)
        } else if rest.starts_with("--") || rest.starts_with('#') {
            rest.find('\n')
        } else {
            break;
        };
        rest = end.map_or("", |end| rest[end..].trim_start());
    }
    rest.split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .filter(|word| !word.is_empty())
}

fn is(word: &str, known: &str) -> bool {
    word.eq_ignore_ascii_case(known)
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
            "SELECT 1; COMMIT",
        ] {
            assert!(ends_transactions_on_mysql(statement), "{statement}");
        }
        for statement in [
            "CREATE TEMPORARY TABLE y (a int)",
            "ROLLBACK TO SAVEPOINT a",
            "rollback work to a",
            "INSERT INTO u VALUES ('commit')",
            "/* commit */ SELECT 1",
            "SET @a = 1",
            "",
        ] {
            assert!(!ends_transactions_on_mysql(statement), "{statement}");
        }
    }

    #[test]
    fn knows_what_defines_something() {
        for statement in ["alter table u add a int", "SELECT 1; /* c */ DROP TABLE u"] {
            assert!(defines(statement), "{statement}");
        }
        for statement in ["SELECT 'create'", "INSERT INTO u VALUES (1)", ""] {
            assert!(!defines(statement), "{statement}");
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
            "EXECUTE IMMEDIATE 'SET SESSION sql_safe_updates = 1'",
            "IF 1 THEN SET SESSION sql_safe_updates = 1; END IF",
            "/*!40101 SET sql_mode = '' */",
            "DO GET_LOCK('a', 1)",
        ] {
            assert!(stays_on_mysql(statement), "{statement}");
        }
        for statement in [
            "INSERT INTO u VALUES ('; set', 'temporary', 'a@b')",
            "SAVEPOINT a",
            "(SELECT 1) UNION SELECT 2; ",
            "-- nothing",
            "",
        ] {
            assert!(!stays_on_mysql(statement), "{statement}");
        }
    }

    #[test]
    fn counts_the_statements_of_a_text() {
        for (text, count) in [
            ("SELECT 1", 1),
            (" SELECT ';'; /* ; */ DELETE FROM u; -- done", 2),
            ("RELEASE SAVEPOINT a; SAVEPOINT b; SELECT `;`", 1),
            ("ROLLBACK TO a; rollback work to a; ROLLBACK", 1),
            ("'it''s \\'; ' SELECT", 1),
            ("", 0),
        ] {
            assert_eq!(besides_savepoints_on_mysql(text), count, "{text}");
        }
    }
}
