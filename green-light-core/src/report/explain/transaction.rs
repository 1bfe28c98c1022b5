//! Transactions that cannot go on, or cannot end.

use crate::report::explain::known::KnownError;

pub(crate) const KNOWN: &[KnownError] = &[
    KnownError {
        words: &["Dropping a locked Transaction"],
        meaning: "a transaction was dropped while something still used it: a query, a stream or an inner transaction",
        place: false,
        concern: None,
        help: "end those first: commit or roll back what was begun inside, and await or join the tasks that use \
               the transaction",
    },
    KnownError {
        words: &["current transaction is aborted, commands ignored until end of transaction block"],
        meaning: "an earlier statement of this transaction failed, and PostgreSQL refuses all others until it is \
                  rolled back",
        place: false,
        concern: None,
        help: "look for that first error; a statement that may fail goes into an inner transaction, \
               `let inner = transaction.begin().await?`, which is then rolled back",
    },
];
