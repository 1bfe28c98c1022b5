//! Remarks below a failing test: what a transaction on PostgreSQL did not do as production does.

const CURE: &str = "write `#[green_light::test(isolation = database)]`, where a commit is a commit";

/// Of temporary tables, with their names.
pub(crate) fn unknown_tables(names: &str) -> String {
    format!(
        "what a commit does to the temporary table `{names}` is not known, since green-light has not seen the statement that \
         made it: with `ON COMMIT DROP` or `ON COMMIT DELETE ROWS` it would be gone or empty, and here it stays\n  \
         help: {CURE}, or send the statement prepared"
    )
}

/// Of what could not be done to a temporary table when a transaction had ended.
pub(crate) fn not_as_a_commit(error: &str) -> String {
    format!(
        "a transaction of this test has ended, and a temporary table with `ON COMMIT` is still as it was: {error}\n  \
         help: {CURE}"
    )
}

/// Of locks that only the end of a transaction releases.
pub(crate) const LOCKED: &str = "this test has taken locks by `pg_advisory_xact_lock`, which the commit of its transaction has \
    not released: inside of `isolation = transaction` they stay until the end of the test, and keep out connections \
    made by the URL of the session\n  \
    help: write `#[green_light::test(isolation = database)]`";

/// Of a statement that failed on a connection on which texts may have been sent before, of which green-light sees nothing.
/// `certainly` several of them.
pub(crate) fn texts_may_be_lost(certainly: bool) -> String {
    let before = match certainly {
        true => {
            "that had run others before, sent as texts, outside of transactions: what those wrote was rolled back as well"
        }
        false => {
            "to which texts were sent: if others had run on it before, outside of transactions, what those wrote was rolled back as well"
        }
    };
    format!(
        "a statement failed on a connection of sqlx {before}\n  \
         help: take the connection from the pool for each statement, put into a transaction what belongs together, or \
         write `#[green_light::test(isolation = database)]`"
    )
}

/// Of a statement that failed on a connection that had run `statement` before.
pub(crate) fn may_be_lost(statement: &str) -> String {
    format!(
        "a statement failed on a connection of sqlx that had run `{statement}` before, outside of transactions: what that \
         wrote was rolled back as well\n  \
         help: take the connection from the pool for each statement, put into a transaction what belongs together, or \
         write `#[green_light::test(isolation = database)]`"
    )
}
