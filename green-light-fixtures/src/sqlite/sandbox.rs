//! SQLite: images in memory, hooks that refuse to commit, a worker thread per connection.
//!
//! Why two levels: sqlx is made to count two open transactions while SQLite has one, the outer. A
//! rollback too many, which sqlx sends when a `begin` fails or is cancelled half-way, then names a
//! savepoint that does not exist. SQLite answers with an error that nobody reads, and the test's
//! rows stay. With one level that rollback would end the outer transaction.
//!
//! Why some tests end with a `COMMIT`: SQLite checks deferred foreign keys first, exactly as for a
//! commit in production, and asks the commit hook only then. The hook refuses, which rolls back.
//! Where nothing can be deferred, one message to SQLite's thread looks at the connection, rolls back
//! and begins the next test's transaction: that thread is what the time of a test goes to.

use std::{sync::Arc, time::Duration};

use sqlx::{
    Executor,
    sqlite::{
        SqliteConnectOptions, SqliteConnection, SqliteOwnedBuf, SqlitePool, SqlitePoolOptions,
        SqliteSynchronous, SqliteTransactionManager,
    },
};
use sqlx_core::{sql_str::SqlSafeStr as _, transaction::TransactionManager as _};

use crate::database_pool::DatabasePool;
use crate::driver::checkout::Verdict;
use crate::driver::handover::{Handover, Kept, connect};
use crate::driver::monitor::Guard;
use crate::driver::pool::Pool;
use crate::driver::restart;
use crate::driver::restart::Known;
use crate::error::{Error, Kind};
use crate::files::temp_dir::{Directory, default_base};
use crate::schema::definition::Schema;
use crate::schema::new_database::NewDatabase;
use crate::sqlite::sandbox_finish::Ending;
use crate::sqlite::statement_log::listen;
use crate::url::DatabaseUrl;

/// The contents of a database, as SQLite writes them to a file.
pub(crate) type Image = Arc<[u8]>;

/// The transaction depth that sqlx counts while nothing but the outer transaction is open.
pub(crate) const BASE_DEPTH: usize = 2;
/// Takes the write lock at once, and so makes SQLite ask the commit hook even if nothing is written.
pub(crate) const BEGIN: &str = "BEGIN IMMEDIATE";
/// How many instructions SQLite runs between two looks at whether the slot still lives.
const INSTRUCTIONS: i32 = 20_000;

/// Builds the schema in memory and returns its image.
pub(crate) async fn build(
    schema: &Schema,
    options: &SqliteConnectOptions,
    wait: Duration,
) -> Result<Image, Error> {
    let (options, url, _directory) = if schema.may_connect() {
        // Other connections do not find a database in memory.
        let directory = Directory::create(&default_base())?;
        let path = directory.write_to_stay("template.sqlite", b"")?;
        let options = options.clone().filename(&path);
        let options = options.synchronous(SqliteSynchronous::Off);
        (options, DatabaseUrl::of_file(&path), Some(directory))
    } else {
        let url = DatabaseUrl::new("sqlite::memory:");
        (options.clone().filename(":memory:"), url, None)
    };
    let pool = pool_options(wait)
        .connect_with(options)
        .await
        .map_err(cannot_open)?;
    let db = DatabasePool::new(pool.clone());
    let built = schema.apply(&NewDatabase::new(db, url)).await;
    let image = match built {
        Ok(()) => image(&pool).await.map_err(|error| {
            Error::new(Kind::Schema, "the template could not be read back")
                .help("end every transaction and stream that the schema or its seed begins")
                .because(error)
        }),
        Err(error) => Err(error),
    };
    // Closing waits for connections that a seed may have leaked; dropping does not.
    drop(pool.close());
    image
}

async fn image(pool: &SqlitePool) -> Result<Image, sqlx::Error> {
    let mut connection = pool.acquire().await?;
    // An empty database has no page at all, and SQLite then has no image of it: a write makes one.
    // An image that says WAL could not be opened in memory.
    connection
        .execute("PRAGMA journal_mode = DELETE; BEGIN IMMEDIATE; COMMIT")
        .await?;
    Ok(Arc::from(&*connection.serialize(None).await?))
}

/// What it takes to open the pool of a slot, once for each test that must not have the pool of the
/// test before.
#[derive(Debug)]
pub(crate) struct Opening {
    /// How to open the database.
    real: SqliteConnectOptions,
    /// What is loaded into every new connection.
    image: Option<Image>,
    guard: Arc<Guard>,
    wait: Duration,
    /// The statements that end a test, once they are known.
    pub(crate) ending: Known<Ending>,
    pub(crate) handover: Handover<sqlx::Sqlite>,
}

/// Opens a guarded pool of one connection. `image` is loaded into every connection it makes.
pub(crate) async fn open(
    options: &SqliteConnectOptions,
    image: Option<Image>,
    guard: &Arc<Guard>,
    wait: Duration,
) -> Result<Pool, Error> {
    let opening = Arc::new(Opening {
        real: options.clone(),
        image,
        guard: Arc::clone(guard),
        wait,
        ending: Known::default(),
        handover: Handover::default(),
    });
    let pool = opening.pool().await?;
    if let Some(failure) = guard.failure() {
        return Err(Error::new(
            Kind::Connection,
            "a database could not be made from the template",
        )
        .help("look at the cause; a full disk or too little memory are the usual ones")
        .because(failure));
    }
    let known = Ending::of(&pool).await.map_err(cannot_open)?;
    opening.ending.get_or_init(|| known);
    Ok(Pool::Sqlite { pool, opening })
}

impl Opening {
    /// A pool over the connection that was handed over, or over a new one.
    pub(crate) async fn pool(self: &Arc<Self>) -> Result<SqlitePool, Error> {
        if self.handover.is_empty() {
            let connection = connect(&self.real, self.wait).await.map_err(cannot_open)?;
            self.handover.put(connection, true);
        }
        // An empty database: a connection opened by the options of the pool gets one too.
        let first = SqliteConnectOptions::new().filename(":memory:");
        let pool = self.pool_options().connect_with(first).await;
        pool.map_err(cannot_open)
    }

    fn pool_options(self: &Arc<Self>) -> SqlitePoolOptions {
        let (connecting, acquiring, releasing) =
            (Arc::clone(self), Arc::clone(&self.guard), Arc::clone(self));
        pool_options(self.wait)
            .after_connect(move |connection, _| {
                let opening = Arc::clone(&connecting);
                Box::pin(async move { opening.connected(connection).await })
            })
            .before_acquire(move |connection, _| {
                let verdict = acquiring.check_out(depth(connection), BASE_DEPTH);
                Box::pin(async move { Ok(verdict == Verdict::Ready) })
            })
            .after_release(move |connection, _| {
                let opening = Arc::clone(&releasing);
                Box::pin(async move { opening.released(connection).await })
            })
    }

    /// The pool has opened an empty database.
    async fn connected(&self, connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
        let kept = match self.handover.take() {
            Some(kept) => kept,
            None => Kept {
                connection: connect(&self.real, self.wait).await?,
                is_new: true,
            },
        };
        *connection = kept.connection;
        // An error here would make the pool try again until the wait is over; it is remembered
        // instead, and the slot is not used.
        let failure = match kept.is_new {
            true => {
                let image = self.image.as_deref();
                prepare(connection, image, &self.guard).await.err()
            }
            false => None,
        };
        self.guard.connected(failure.map(|error| error.to_string()));
        Ok(())
    }

    async fn released(&self, connection: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
        if self.guard.finish().was_put_back() {
            return Ok(true);
        }
        self.guard.released();
        Ok(restart::released(connection, &self.guard, &self.ending).await)
    }
}

fn pool_options(wait: Duration) -> SqlitePoolOptions {
    // No timer may replace the connection: it holds the test's transaction.
    SqlitePoolOptions::new()
        .max_connections(1)
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
        .acquire_timeout(wait)
}

fn cannot_open(error: sqlx::Error) -> Error {
    Error::new(Kind::Connection, "SQLite could not open a database")
        .help("for a database in a file, look at the path and its permissions")
        .because(error)
}

pub(crate) fn depth(connection: &SqliteConnection) -> usize {
    SqliteTransactionManager::get_transaction_depth(connection)
}

/// Loads the image, opens the outer transaction and installs the hooks.
async fn prepare(
    connection: &mut SqliteConnection,
    image: Option<&[u8]>,
    guard: &Arc<Guard>,
) -> Result<(), sqlx::Error> {
    if let Some(image) = image {
        connection
            .deserialize(None, SqliteOwnedBuf::try_from(image)?, false)
            .await?;
    }
    SqliteTransactionManager::begin(connection, Some(BEGIN.into_sql_str())).await?;
    SqliteTransactionManager::begin(connection, None).await?;
    connection.execute("RELEASE _sqlx_savepoint_1").await?;
    let mut handle = connection.lock_handle().await?;
    let (committing, rolling_back, running) =
        (Arc::clone(guard), Arc::clone(guard), Arc::clone(guard));
    handle.set_commit_hook(move || {
        listen_unless_ending(&committing);
        committing.commit_asked()
    });
    handle.set_rollback_hook(move || {
        listen_unless_ending(&rolling_back);
        rolling_back.rolled_back();
    });
    handle.set_progress_handler(INSTRUCTIONS, move || !running.is_dead());
    Ok(())
}

/// Finds out which statement it is that a hook tells of.
fn listen_unless_ending(guard: &Arc<Guard>) {
    if !guard.is_ending() {
        listen(guard);
    }
}
