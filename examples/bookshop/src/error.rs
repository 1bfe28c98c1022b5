//! Everything that can go wrong in the shop, in the shop's own words.
//!
//! The domain speaks of books and customers; `http::problem` alone decides on status codes.

use sea_orm::{DbErr, TransactionError};

/// A result of the shop.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why the shop could not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The thing asked for does not exist.
    #[error("{what} {id} does not exist")]
    NotFound {
        /// What was looked for, in the singular.
        what: &'static str,
        /// The id that found nothing.
        id: i32,
    },

    /// A request refers to something that does not exist.
    #[error("the request refers to {what} {id}, which does not exist")]
    UnknownReference {
        /// What was referred to, in the singular.
        what: &'static str,
        /// The id that leads nowhere.
        id: i32,
    },

    /// Another row already has this unique value.
    #[error("{what} with {field} `{value}` already exists")]
    Duplicate {
        /// What would exist twice.
        what: &'static str,
        /// The field that must be unique.
        field: &'static str,
        /// The value that is taken.
        value: String,
    },

    /// A field has a value that cannot be accepted.
    #[error("`{field}` {why}")]
    Invalid {
        /// The field at fault.
        field: &'static str,
        /// What is wrong with it, as the rest of the sentence.
        why: &'static str,
    },

    /// Fewer copies are left than were asked for.
    #[error("book {book_id} has {available} copies left, {requested} were asked for")]
    OutOfStock {
        /// The book that ran short.
        book_id: i32,
        /// How many copies were wanted.
        requested: i32,
        /// How many there are.
        available: i32,
    },

    /// The order was cancelled before.
    #[error("order {id} is already cancelled")]
    AlreadyCancelled {
        /// The order.
        id: i32,
    },

    /// The database failed, which is never the client's doing.
    #[error("the database failed")]
    Database(#[from] DbErr),
}

impl From<TransactionError<Error>> for Error {
    fn from(error: TransactionError<Error>) -> Self {
        match error {
            TransactionError::Connection(error) => Error::Database(error),
            TransactionError::Transaction(error) => error,
        }
    }
}
