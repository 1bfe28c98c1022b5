//! Whether a test has left something in its session of MariaDB, if its statements were not reported: those
//! that it sent by a pool of sqlx.
//!
//! What can be left there is a setting, a variable, a lock, a temporary table, a prepared statement, an open
//! handler. The server counts the statements of each session by kind, and the statements of programs that they
//! call, too. So a session that has run nothing but statements that leave nothing has no setting, no
//! temporary table and the like of the test. A variable and a lock can be made by a `SELECT`: the variables
//! are in a list, and the locks are released and counted.
//!
//! MySQL has no list of variables that is always kept. There the next test gets a new session.

use sqlx::{Executor as _, MySqlConnection, mysql::MySqlRow};

use crate::mysql::session_audit::OwnStatements;
use crate::mysql::session_status::{counters, text};
use crate::mysql::statement_count::found;

/// How many locks and variables there are.
const HELD: &str = "SELECT CAST(release_all_locks() \
    + (SELECT count(*) FROM information_schema.user_variables) AS CHAR)";
/// What the session has run, by kind.
const COUNTERS: &str = r"SHOW SESSION STATUS WHERE Variable_name LIKE 'Com\_%' AND Value > 0 OR Variable_name = 'Questions'";
/// The statements that leave nothing in a session but locks and variables, as those counters call them.
/// Whatever is not known to be one of these is taken for one that leaves something.
const PASSING: [&str; 15] = [
    "admin_commands",
    "delete",
    "delete_multi",
    "do",
    "empty_query",
    "insert",
    "insert_select",
    "release_savepoint",
    "replace",
    "replace_select",
    "rollback_to_savepoint",
    "savepoint",
    "select",
    "update",
    "update_multi",
];

/// Whether a server can be asked what a session holds. `connection` is new.
pub(crate) async fn can_be_asked(connection: &mut MySqlConnection) -> bool {
    let held = connection.fetch_one(HELD).await;
    held.is_ok_and(|row| text(&row).is_ok_and(|held| held == "0"))
}

/// What to ask a session, for rows that [`texts_of_clean`] knows.
pub(crate) fn query() -> String {
    format!("{HELD}; {COUNTERS}")
}

/// How many texts the session has run that answered with `rows`, if it holds nothing of a test.
pub(crate) fn texts_of_clean(rows: &[MySqlRow], own: OwnStatements) -> Option<u64> {
    let (held, counted) = rows.split_first()?;
    let counted = counters(counted).ok()?;
    (text(held).ok()? == "0" && leaves_nothing(&counted, own))
        .then(|| found(&counted))
        .flatten()
}

/// Whether no statement that `counted` has can have left anything, besides those of green-light.
fn leaves_nothing(counted: &[(String, u64)], own: OwnStatements) -> bool {
    let begins = counted.iter().find(|(kind, _)| kind == "begin");
    // A session that was told to forget its counters knows less.
    let is_all = begins.is_some_and(|(_, value)| *value == own.begins);
    is_all
        && counted.iter().all(|(kind, value)| match kind.as_str() {
            "begin" | "questions" => true,
            "rollback" => *value == own.rollbacks,
            "set_option" => *value == own.settings,
            kind => {
                kind.starts_with("stmt_") || kind.starts_with("show_") || PASSING.contains(&kind)
            }
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_to_pass_may_have_left_something() {
        let own = OwnStatements {
            begins: 3,
            rollbacks: 2,
            settings: 4,
        };
        let leaves_nothing_with = |more: &[(&str, u64)]| {
            let usual = [
                ("begin", 3),
                ("rollback", 2),
                ("set_option", 4),
                ("select", 9),
                ("stmt_execute", 5),
                ("show_status", 2),
                ("questions", 40),
            ];
            let usual = usual
                .iter()
                .filter(|(kind, _)| more.iter().all(|(other, _)| other != kind));
            let all: Vec<_> = usual
                .chain(more)
                .map(|(kind, value)| ((*kind).to_owned(), *value))
                .collect();
            leaves_nothing(&all, own)
        };
        assert!(leaves_nothing_with(&[]));
        assert!(leaves_nothing_with(&[("insert", 7), ("savepoint", 3)]));
        for (kind, value) in [
            ("set_option", 5),
            ("begin", 4),
            ("begin", 1),
            ("rollback", 3),
            ("create_temporary_table", 1),
            ("call_procedure", 1),
            ("prepare_sql", 1),
            ("ha_open", 1),
            ("something_new", 1),
        ] {
            assert!(!leaves_nothing_with(&[(kind, value)]), "{kind} {value}");
        }
    }
}
