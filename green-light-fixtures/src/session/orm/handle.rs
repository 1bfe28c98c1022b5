//! What a session is to SeaORM.

use std::{fmt, ops::Deref, panic::Location};

use sea_orm::{
    DatabaseConnection, DatabaseTransaction, DbErr, TransactionError, TransactionTrait as _,
};

use crate::session::handle::Session;
use crate::session::orm::options::TransactionOptions;
use crate::session::transaction::Transaction;

impl Session {
    /// The connection, as applications take it. Clone it to keep it.
    #[must_use]
    pub fn connection(&self) -> &DatabaseConnection {
        &self.shared.connection
    }

    /// Runs `work` in a transaction of its own: committed on `Ok`, rolled back on `Err`.
    ///
    /// As everything in a test, what is committed here is seen by the rest of the test only.
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use green_light_fixtures::{Engine, Isolation, Schema};
    /// use green_light_fixtures::TransactionOptions;
    /// use sea_orm::{ConnectionTrait, DatabaseTransaction, DbErr};
    /// # let engine = Engine::builder().schema(Schema::sql("CREATE TABLE a (x)")).build().await?;
    /// # let session = engine.session(Isolation::Transaction).await?;
    /// session
    ///     .transaction(TransactionOptions::new().rollback(true), async |tx: &DatabaseTransaction| {
    ///         tx.execute_unprepared("DELETE FROM a").await
    ///     })
    ///     .await?;
    /// # session.finish().await?; Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// What `work` returns, or why the transaction could not be begun or ended.
    pub async fn transaction<F, T, E>(
        &self,
        options: TransactionOptions,
        work: F,
    ) -> Result<T, TransactionError<E>>
    where
        F: AsyncFnOnce(&DatabaseTransaction) -> Result<T, E>,
        E: fmt::Display + fmt::Debug,
    {
        let begun = self.shared.connection.begin().await;
        let transaction = self
            .explained(begun)
            .map_err(TransactionError::Connection)?;
        if !options.nested {
            return end(transaction, options, work).await;
        }
        let inner = transaction
            .begin()
            .await
            .map_err(TransactionError::Connection)?;
        let outcome = end(inner, options, work).await;
        let ended = if outcome.is_ok() && !options.rollback {
            transaction.commit().await
        } else {
            transaction.rollback().await
        };
        ended.map_err(TransactionError::Connection).and(outcome)
    }

    /// Makes an error about the connection say who holds it.
    pub(crate) fn explained<T>(&self, result: Result<T, DbErr>) -> Result<T, DbErr> {
        result.map_err(|error| self.shared.isolated.explain(error))
    }

    /// Notes where a transaction that has just been begun was begun.
    pub(crate) fn begun_at<T>(&self, result: &Result<T, DbErr>, place: &'static Location<'static>) {
        if result.is_ok() {
            self.shared.isolated.begun_at(place);
        }
    }
}

async fn end<F, T, E>(
    transaction: DatabaseTransaction,
    options: TransactionOptions,
    work: F,
) -> Result<T, TransactionError<E>>
where
    F: AsyncFnOnce(&DatabaseTransaction) -> Result<T, E>,
    E: fmt::Display + fmt::Debug,
{
    let outcome = work(&transaction)
        .await
        .map_err(TransactionError::Transaction);
    let ended = if outcome.is_ok() && !options.rollback {
        transaction.commit().await
    } else {
        transaction.rollback().await
    };
    match (outcome, ended) {
        (Err(error), _) => Err(error),
        (Ok(_), Err(error)) => Err(TransactionError::Connection(error)),
        (Ok(value), Ok(())) => Ok(value),
    }
}

impl Deref for Session {
    type Target = DatabaseConnection;

    fn deref(&self) -> &DatabaseConnection {
        self.connection()
    }
}

impl AsRef<DatabaseConnection> for Session {
    fn as_ref(&self) -> &DatabaseConnection {
        self.connection()
    }
}

impl Transaction {
    /// The connection of the test, as applications take it.
    #[must_use]
    pub fn connection(&self) -> DatabaseConnection {
        self.session().connection().clone()
    }
}
