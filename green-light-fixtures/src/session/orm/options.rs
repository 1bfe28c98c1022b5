//! How `Session::transaction` ends and nests.

/// Options of [`Session::transaction`](crate::Session::transaction).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TransactionOptions {
    pub(crate) rollback: bool,
    pub(crate) nested: bool,
}

impl TransactionOptions {
    /// Commits on `Ok`, rolls back on `Err`, one level deep.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Rolls back even if the closure succeeds.
    #[must_use]
    pub fn rollback(mut self, rollback: bool) -> Self {
        self.rollback = rollback;
        self
    }

    /// Runs the closure in a savepoint inside the transaction, as code called by other code that
    /// has begun one.
    #[must_use]
    pub fn nested(mut self, nested: bool) -> Self {
        self.nested = nested;
        self
    }
}
