//! The session itself.

use std::{fmt, sync::Arc};
#[cfg(feature = "sea-orm")]
use std::{ops::Deref, panic::Location, time::Duration};

#[cfg(feature = "sea-orm")]
use sea_orm::{
    DatabaseConnection, DatabaseTransaction, DbErr, TransactionError, TransactionTrait as _,
};
#[cfg(feature = "mysql")]
use sqlx::MySqlPool;
#[cfg(feature = "postgres")]
use sqlx::PgPool;
use sqlx::Pool;
#[cfg(feature = "sqlite")]
use sqlx::sqlite::SqlitePool;

use crate::backend::Backend;
use crate::database_pool::{DatabasePool, PoolDriver};
use crate::error::Error;
use crate::isolation::Isolation;
use crate::sandbox::contention;
use crate::session::isolated::{IsolatedDb, Owner};
#[cfg(feature = "sea-orm")]
use crate::session::options::TransactionOptions;
use crate::url::DatabaseUrl;

/// What a test uses to talk to its database.
///
/// `&session` is a `&DatabaseConnection` for application code, `session.connection().clone()` is one
/// to keep, and the session can be given to SeaORM's own methods.
///
/// With [`Isolation::Transaction`] the test has one connection. Concurrent queries are correct, but
/// take turns. A query that is sent while a transaction or a stream is open on the same session
/// waits for it, and fails after 5 s with an error that says who holds the connection. With the
/// other isolations it has five.
#[derive(Clone)]
pub struct Session {
    shared: Arc<Shared>,
    /// Set if the session was made without a transaction of its own in sight.
    owned: Option<Arc<Owner>>,
}

struct Shared {
    pool: DatabasePool,
    #[cfg(feature = "sea-orm")]
    connection: DatabaseConnection,
    isolated: Arc<IsolatedDb>,
    backend: Backend,
}

impl Session {
    pub(crate) fn new(isolated: Arc<IsolatedDb>, backend: Backend) -> Self {
        Self {
            shared: Arc::new(Shared {
                pool: isolated.pool(),
                #[cfg(feature = "sea-orm")]
                connection: isolated.connection(),
                isolated,
                backend,
            }),
            owned: None,
        }
    }

    pub(crate) fn owning(mut self, owner: Arc<Owner>) -> Self {
        self.owned = Some(owner);
        self
    }

    /// The connection, as applications take it. Clone it to keep it.
    #[cfg(feature = "sea-orm")]
    #[must_use]
    pub fn connection(&self) -> &DatabaseConnection {
        &self.shared.connection
    }

    pub(crate) fn pool(&self) -> &DatabasePool {
        &self.shared.pool
    }

    /// Which database this is.
    #[must_use]
    pub fn backend(&self) -> Backend {
        self.shared.backend
    }

    /// How the test is kept apart from the others.
    #[must_use]
    pub fn isolation(&self) -> Isolation {
        self.shared.isolated.isolation()
    }

    /// Where the database is.
    ///
    /// With [`Isolation::Transaction`] a connection of its own to that place sees nothing of the
    /// test, and cannot write where a later test would find it: PostgreSQL and SQLite refuse, and on
    /// MySQL the database is not used again. With the other isolations it sees what the test has
    /// committed, and may write.
    #[must_use]
    pub fn url(&self) -> &DatabaseUrl {
        self.shared.isolated.give_url()
    }

    /// The sqlx pool behind the connection, for code that uses sqlx itself.
    ///
    /// It is closed when the test ends: a clone that outlives the test reaches no later one. With
    /// [`Isolation::Transaction`] it has one connection, inside the test's transaction, and
    /// `pool.connect_options()` leads to no database: another connection would see nothing of the test.
    ///
    /// # Panics
    ///
    /// When the session is on another backend, or its test has ended.
    #[cfg(feature = "sqlite")]
    #[must_use]
    #[track_caller]
    pub fn sqlite_pool(&self) -> &SqlitePool {
        self.raw::<sqlx::Sqlite>()
    }

    /// The sqlx pool behind the connection, as [`sqlite_pool`](Self::sqlite_pool) is for SQLite.
    ///
    /// # Panics
    ///
    /// When the session is on another backend, or its test has ended.
    #[cfg(feature = "postgres")]
    #[must_use]
    #[track_caller]
    pub fn postgres_pool(&self) -> &PgPool {
        self.raw::<sqlx::Postgres>()
    }

    /// The sqlx pool behind the connection, as [`sqlite_pool`](Self::sqlite_pool) is for SQLite.
    ///
    /// # Panics
    ///
    /// When the session is on another backend, or its test has ended.
    #[cfg(feature = "mysql")]
    #[must_use]
    #[track_caller]
    pub fn mysql_pool(&self) -> &MySqlPool {
        self.raw::<sqlx::MySql>()
    }

    #[track_caller]
    fn raw<DB: PoolDriver>(&self) -> &Pool<DB> {
        let Shared { pool, isolated, .. } = &*self.shared;
        let (backend, wanted) = (self.backend(), DB::DIALECT.backend());
        assert!(
            backend == wanted,
            "this session is on `{backend}`, not on `{wanted}`\n  help: ask `session.backend()` first"
        );
        isolated.raw_pool_given();
        pool.of()
            .unwrap_or_else(|| panic!("{}", contention::has_ended(isolated.test())))
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
    #[cfg(feature = "sea-orm")]
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

    /// Ends the test's transaction, as [`Transaction::finish`](crate::Transaction::finish) does.
    ///
    /// # Errors
    ///
    /// As [`Transaction::finish`](crate::Transaction::finish).
    ///
    /// # Cancel safety
    ///
    /// Dropping the future throws the database away; the next test gets a new one.
    pub async fn finish(self) -> Result<(), Error> {
        let taken = self.shared.isolated.take();
        drop(self);
        match taken {
            Some(taken) => taken.end().await,
            None => Ok(()),
        }
    }

    /// Makes an error about the connection say who holds it.
    #[cfg(feature = "sea-orm")]
    pub(crate) fn explained<T>(&self, result: Result<T, DbErr>) -> Result<T, DbErr> {
        result.map_err(|error| self.shared.isolated.explain(error))
    }

    /// The savepoint that has to stay the innermost, if there is one.
    #[cfg(feature = "sea-orm")]
    pub(crate) fn guard_savepoint(&self) -> Option<Arc<str>> {
        self.shared.isolated.guard_savepoint()
    }

    /// A statement comes that SeaORM does not report.
    #[cfg(feature = "sea-orm")]
    pub(crate) fn announce(&self) {
        self.shared.isolated.announce();
    }

    /// Notes a statement that SeaORM does not report, so that a breach can name it.
    #[cfg(feature = "sea-orm")]
    pub(crate) fn ran_text(&self, sql: &str, elapsed: Duration, has_failed: bool) {
        self.shared.isolated.ran_text(sql, elapsed, has_failed);
    }

    /// Notes where a transaction that has just been begun was begun.
    #[cfg(feature = "sea-orm")]
    pub(crate) fn begun_at<T>(
        &self,
        result: &Result<T, DbErr>,
        isolated: &'static Location<'static>,
    ) {
        if result.is_ok() {
            self.shared.isolated.begun_at(isolated);
        }
    }
}

#[cfg(feature = "sea-orm")]
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

#[cfg(feature = "sea-orm")]
impl Deref for Session {
    type Target = DatabaseConnection;

    fn deref(&self) -> &DatabaseConnection {
        self.connection()
    }
}

#[cfg(feature = "sea-orm")]
impl AsRef<DatabaseConnection> for Session {
    fn as_ref(&self) -> &DatabaseConnection {
        self.connection()
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("backend", &self.backend())
            .field("url", self.shared.isolated.url())
            .field("test", &self.shared.isolated.test())
            .finish()
    }
}
