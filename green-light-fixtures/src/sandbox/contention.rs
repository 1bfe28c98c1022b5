//! What an error of a query means when the connection of the test is busy or gone.

use crate::limits::Timeouts;

/// The connection of a test is busy, by `holder` if known.
pub(crate) fn connection_busy(timeouts: Timeouts, holder: Option<String>) -> String {
    let holder = holder.map_or_else(String::new, |holder| format!("\n  held by {holder}"));
    format!(
        "the one connection of this test was not free within {:.1} s{holder}\n  \
         help: while a transaction is open, pass `&transaction` on, not the session; \
         finish a stream before the next query; commit first; or give the test several connections: \
         `isolation = database`",
        timeouts.connection.as_secs_f64(),
    )
}

/// A session was used after its test.
pub(crate) fn has_ended(test: &str) -> String {
    format!(
        "the test that this session belongs to has ended: `{test}`\n  \
         help: join or abort the tasks of a test before it ends"
    )
}

/// The transaction of a test was ended by something, and what follows may only read.
pub(crate) fn ended_early(by: &str) -> String {
    format!(
        "{by} has ended the transaction that isolates the test, and after that nothing can be written\n  \
         help: write `#[green_light::test(isolation = database)]` for a test that commits by SQL text, by a \
         procedure, or by a statement that commits by itself; what every test needs goes into the schema"
    )
}

/// The database has rolled back everything that the test did until then.
pub(crate) fn deadlocked() -> &'static str {
    "the database rolled back all that this test had written until then, to break a deadlock, or because a lock was not \
     given in time on a server with `innodb_rollback_on_timeout`; what the test wrote after that is there\n  \
     help: a deadlock ends the whole transaction, which inside of `isolation = transaction` is the whole test; write \
     `#[green_light::test(isolation = database)]`, where a transaction of the application is rolled back alone and can be \
     repeated"
}

/// A search has found nothing of what the test has written.
pub(crate) fn searched(by: &str) -> String {
    format!(
        "{by} searches by `MATCH .. AGAINST`, which finds no rows of the transaction that isolates the test: a FULLTEXT \
         index is written by a commit\n  \
         help: write `#[green_light::test(isolation = database)]` for a test that searches what it has written"
    )
}
