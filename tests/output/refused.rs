//! What a test prints whose statement is refused since it runs inside a transaction.

use crate::redacted::redacted;
use crate::{run, story};
use expect_test::expect_file;

const TRANSACTION: &str = "what it means: the database refuses this statement inside a transaction";
const OUTERMOST: &str = "what it means: isolation level, access mode and `BEGIN` can be chosen";
const DATABASE: &str = "help: write `#[green_light::test(isolation = database)]`";
const TLS_FEATURE: &str = "help: in `Cargo.toml`, add `tls-rustls` or `tls-native-tls`";

#[test]
fn what_sqlite_refuses_in_a_transaction_is_explained() {
    story("refused::sqlite::", &expect_file!["refused_sqlite.txt"]);
}

#[test]
fn what_other_drivers_get_and_do_not_get_is_told() {
    story("drivers::", &expect_file!["drivers.txt"]);
}

#[test]
fn what_postgresql_refuses_in_a_transaction_is_explained() {
    // The server's words end with a line number of its source.
    let inside = "cannot run inside a transaction block";
    let never = "green-light: this transaction isolates a test and is never committed";
    let said = check(
        "refused::postgres::",
        &[
            ("a_index", &[inside, TRANSACTION, DATABASE]),
            ("b_vacuum", &[inside, TRANSACTION, DATABASE]),
            (
                "c_add_value",
                &[
                    "unsafe use of new value",
                    "what it means: a value that `ALTER TYPE .. ADD VALUE` has added",
                    DATABASE,
                ],
            ),
            ("d_detach", &[inside, TRANSACTION, DATABASE]),
            ("e_create_database", &[inside, TRANSACTION, DATABASE]),
            ("f_alter_system", &[inside, TRANSACTION, DATABASE]),
            ("g_reindex", &[inside, TRANSACTION, DATABASE]),
            ("h_discard", &[inside, TRANSACTION, DATABASE]),
            ("i_call", &["invalid transaction termination", TRANSACTION]),
            ("j_do", &["invalid transaction termination", TRANSACTION]),
            ("k_set", &["must be called before any query", OUTERMOST]),
            ("l_snapshot", &["from a subtransaction", TRANSACTION]),
            ("m_prepare", &[never, "by: `PREPARE TRANSACTION 'x'`"]),
            ("n_tablespace", &[inside, TRANSACTION]),
            ("o_commit", &[never, "needs `isolation = database`"]),
            ("p_commit_prepared", &[inside, TRANSACTION]),
            ("q_drop_database", &[inside, TRANSACTION]),
            (
                "r_kept",
                &[
                    "rows of authors",
                    "a statement failed on a connection of sqlx that had run others before, sent as texts, outside of transactions",
                    "help: take the connection from the pool for each statement",
                    "isolation = database",
                ],
            ),
            (
                "s_held_cursor",
                &[
                    "already exists",
                    "a temporary table with `ON COMMIT` is still as it was: cannot DROP TABLE",
                    DATABASE,
                ],
            ),
            (
                "u_serializable",
                &["must be called before", OUTERMOST, DATABASE],
            ),
            (
                "v_read_only",
                &[
                    "in a read-only transaction",
                    "may only read: it was begun that way",
                ],
            ),
            (
                "w_begin_with",
                &["non-zero transaction depth", OUTERMOST, DATABASE],
            ),
            (
                "x_copy_dropped",
                &[
                    "dropped a `COPY` half-way",
                    "help: call `finish()` or `abort(..)` on what `copy_in_raw` returns",
                ],
            ),
            ("y_tls", &["built without TLS", TLS_FEATURE]),
            (
                "y_tls_mode",
                &["unknown value \"required\"", "`prefer`, `require`"],
            ),
            ("z_unwrapped", &["panicked at", TRANSACTION, DATABASE]),
        ],
    );
    // At the end of the run, of a test that passes.
    let begin =
        "green-light: a statement failed on a connection of sqlx that had run others before";
    let told: Vec<_> = said.lines().filter(|line| line.contains(begin)).collect();
    let [told] = &told[..] else {
        panic!("{told:?}: {said}");
    };
    let end = "in test `refused::postgres::r_kept_that_passes`; take the connection from the pool for each statement there";
    assert!(told.contains(end), "{told}");
}

#[test]
fn what_mysql_refuses_in_a_transaction_is_explained() {
    let read_only = "1792 (25006): Cannot execute statement in a READ ONLY transaction";
    let ended = "ended the transaction that isolates it";
    let in_progress = "while a transaction is in progress";
    let denied = "Access denied for user 'green_light'@'localhost' to database 'other'";
    let need = "Access denied; you need (at least one of) the ";
    let rights = "what it means: the account of the test may not do this";
    let said = check(
        "refused::mysql::",
        &[
            (
                "a_create_then_insert",
                &[
                    read_only,
                    "what it means: `CREATE TABLE x (a int)` has ended the transaction",
                    DATABASE,
                    "\n  by: `CREATE TABLE x (a int)`\n",
                ],
            ),
            (
                "b_call_begin",
                &[
                    read_only,
                    "what it means: `CALL c()` has ended the transaction",
                    "\n  by: `CALL c()`, which ran `BEGIN`\n",
                    "a test that calls a procedure",
                ],
            ),
            (
                "b_call_commit",
                &[ended, "\n  by: `CALL d()`, which ran `COMMIT`\n", DATABASE],
            ),
            (
                "b_call_commit_through_connection",
                &[ended, "\n  by `COMMIT`, in a procedure that was called"],
            ),
            (
                "b_call_in_transaction",
                &[
                    read_only,
                    ended,
                    "\n  by `BEGIN`, in a procedure that was called",
                ],
            ),
            (
                "b_call_rollback",
                &[ended, "\n  by: `CALL r()`, which ran `ROLLBACK`\n"],
            ),
            ("c_set", &[in_progress, OUTERMOST, DATABASE]),
            (
                "d_lock",
                &[
                    read_only,
                    "what it means: `LOCK TABLES author WRITE` has ended",
                ],
            ),
            ("e_xa", &["XAER_OUTSIDE", TRANSACTION, DATABASE]),
            (
                "f_truncate",
                &[read_only, "what it means: `TRUNCATE author` has ended"],
            ),
            ("g_begin", &[ended, "\n  by: `START TRANSACTION`\n"]),
            (
                "h_create_database",
                &[denied, rights, "help: move it into the schema"],
            ),
            ("h_create_user", &[need, rights, "`GREEN_LIGHT_MYSQL_URL`"]),
            (
                "h_set_global",
                &[need, rights, "`SET SESSION` for `SET GLOBAL`"],
            ),
            (
                "i_search",
                &[
                    "nothing was found",
                    "AGAINST ('green')` searches by `MATCH .. AGAINST`, which finds no rows",
                    DATABASE,
                ],
            ),
            (
                "j_deadlock",
                &[
                    "Deadlock found when trying to get lock",
                    "the database rolled back all that this test had written until then, to break a deadlock",
                    "write `#[green_light::test(isolation = database)]`, where a transaction of the application",
                ],
            ),
            ("u_serializable", &[in_progress, OUTERMOST, DATABASE]),
            ("v_read_only", &[in_progress, OUTERMOST, DATABASE]),
            (
                "w_begin_with",
                &["non-zero transaction depth", OUTERMOST, DATABASE],
            ),
            ("x_large_row", &["max_allowed_packet"]),
            ("y_tls", &["panicked at", "built without TLS", TLS_FEATURE]),
            ("z_unwrapped", &["panicked at", OUTERMOST, DATABASE]),
        ],
    );
    // At the end of the run, of tests that pass.
    for (begin, test) in [
        (
            "green-light: `MATCH .. AGAINST` was sent inside a transaction after rows were written, and finds none",
            "i_search_that_passes",
        ),
        (
            "green-light: the database rolled back all that was written until then, to break a deadlock",
            "j_deadlock_that_passes",
        ),
    ] {
        let told = said.lines().find(|line| line.contains(begin));
        let told = told.unwrap_or_else(|| panic!("`{begin}` is not there: {said}"));
        let end = format!(
            "in test `refused::mysql::{test}`; write `#[green_light::test(isolation = database)]` there"
        );
        assert!(told.contains(&end), "{told}");
    }
}

/// Runs the specimens of `module` and looks for texts, in this order, in what each of them prints that fails. Returns all
/// that was printed.
fn check(module: &str, expected: &[(&str, &[&str])]) -> String {
    let text = redacted(&run(module, &[], &[])).replace("stdout: ", "");
    for (test, parts) in expected {
        let begin = format!("---- {module}{test} stdout ----\n");
        let at = text.find(&begin);
        let at = at.unwrap_or_else(|| panic!("`{test}` did not fail: {text}"));
        let section = &text[at + begin.len()..];
        let section = section.split("\n---- ").next().unwrap_or(section);
        let mut rest = section;
        for part in *parts {
            let after = rest.split_once(part).map(|(_, after)| after);
            rest = after.unwrap_or_else(|| panic!("`{part}` is not there: {section}"));
        }
    }
    let failed = text.matches("... FAILED").count();
    assert_eq!(
        failed,
        expected.len(),
        "a specimen is not looked at: {text}"
    );
    text
}
