//! How the outer transaction of a test ended.

#[derive(Debug)]
#[allow(dead_code, reason = "each database reports some of them")]
pub(crate) enum FinishOutcome {
    /// Rolled back, and the connection looks as it did when new.
    Clean,
    /// Rolled back, but the database may have changed with its connection: it must not be used again.
    Changed,
    /// Rolled back, and the database is as it was, but the session may not be: the next test needs
    /// another one.
    Worn,
    /// A commit would have failed on these rows; rolled back.
    Violated(Vec<String>),
    /// The application closed the pool, and the connection with it.
    Closed,
    /// The connection was not given back in time.
    Held,
    /// The outer transaction was not there any more, and the monitor knows why.
    Lost,
    /// The database refused a statement that ends the transaction.
    Failed(sqlx::Error),
}
