//! SQLite: images in memory, hooks that refuse to commit, a worker thread per connection.
//!
//! Why two levels: sqlx is made to count two open transactions while SQLite has one, the outer. A
//! rollback too many, which sqlx sends when a `begin` fails or is cancelled half-way, then names a
//! savepoint that does not exist. SQLite answers with an error that nobody reads, and the test's
//! rows stay. With one level that rollback would end the outer transaction.
//!
//! Why the end of a test is a `COMMIT`: SQLite checks deferred foreign keys first, exactly as for a
//! commit in production, and asks the commit hook only then. The hook refuses, which rolls back.

use std::{future::poll_fn, pin::pin, sync::Arc, time::Duration};

use futures_core::Stream;
use sea_orm::{DatabaseConnection, SqlxSqliteConnector};
use sqlx::{
    Either, Executor, Row,
    sqlite::{
        SqliteConnectOptions, SqliteConnection, SqliteOwnedBuf, SqlitePool, SqlitePoolOptions,
        SqliteTransactionManager,
    },
};
use sqlx_core::{sql_str::SqlSafeStr as _, transaction::TransactionManager as _};

use super::{Ended, Pool};
use crate::{
    error::{Error, Kind},
    sandbox::{Guard, Verdict},
    schema::Schema,
};

/// The contents of a database, as SQLite writes them to a file.
pub(crate) type Image = Arc<[u8]>;

/// The transaction depth that sqlx counts while nothing but the outer transaction is open.
const BASE_DEPTH: usize = 2;
/// Takes the write lock at once, and so makes SQLite ask the commit hook even if nothing is written.
const BEGIN: &str = "BEGIN IMMEDIATE";
/// What a test can change on a connection so that a rollback does not undo it.
const LOOK: &str = "PRAGMA schema_version; PRAGMA query_only; PRAGMA ignore_check_constraints; \
    PRAGMA recursive_triggers; PRAGMA reverse_unordered_selects; PRAGMA legacy_alter_table; \
    SELECT 'a' LIKE 'A'; PRAGMA database_list";
const LOOK_AND_COMMIT: &str = "PRAGMA schema_version; PRAGMA query_only; \
    PRAGMA ignore_check_constraints; PRAGMA recursive_triggers; PRAGMA reverse_unordered_selects; \
    PRAGMA legacy_alter_table; SELECT 'a' LIKE 'A'; PRAGMA database_list; COMMIT";
/// How many values of `LOOK` come before the list of databases.
const LOOK_VALUES: usize = 7;
/// Extended result codes of SQLite.
const REFUSED_BY_COMMIT_HOOK: &str = "531";
const FOREIGN_KEY: &str = "787";
/// How many instructions SQLite runs between two looks at whether the slot still lives.
const INSTRUCTIONS: i32 = 20_000;

/// Builds the schema in memory and returns its image.
pub(crate) async fn build(
    schema: &Schema,
    options: &SqliteConnectOptions,
    wait: Duration,
) -> Result<Image, Error> {
    let pool = pool_options(wait)
        .connect_with(options.clone().filename(":memory:"))
        .await
        .map_err(cannot_open)?;
    let built = schema
        .apply(&SqlxSqliteConnector::from_sqlx_sqlite_pool(pool.clone()))
        .await;
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

/// Opens a guarded pool of one connection. `image` is loaded into every connection it makes.
pub(crate) async fn open(
    options: &SqliteConnectOptions,
    image: Option<Image>,
    guard: &Arc<Guard>,
    wait: Duration,
) -> Result<Pool, Error> {
    let (connecting, acquiring, releasing) =
        (Arc::clone(guard), Arc::clone(guard), Arc::clone(guard));
    let pool = pool_options(wait)
        .after_connect(move |connection, _| {
            let (guard, image) = (Arc::clone(&connecting), image.clone());
            Box::pin(async move {
                // An error here would make the pool try again until the wait is over; it is
                // remembered instead, and the slot is not used.
                let failure = prepare(connection, image.as_deref(), &guard).await.err();
                guard.connected(failure.map(|error| error.to_string()));
                Ok(())
            })
        })
        .before_acquire(move |connection, _| {
            let guard = Arc::clone(&acquiring);
            Box::pin(async move {
                match guard.check_out(depth(connection), BASE_DEPTH) {
                    Verdict::Ready => Ok(true),
                    Verdict::Replace => Ok(false),
                    Verdict::Begin => {
                        sqlx::query(BEGIN).execute(connection).await?;
                        guard.begun();
                        Ok(true)
                    }
                }
            })
        })
        .after_release(move |_, _| {
            releasing.released();
            Box::pin(async { Ok(true) })
        })
        .connect_with(options.clone())
        .await
        .map_err(cannot_open)?;
    if let Some(failure) = guard.failure() {
        return Err(Error::new(
            Kind::Connection,
            "a database could not be made from the template",
        )
        .help("look at the cause; a full disk or too little memory are the usual ones")
        .because(failure));
    }
    let fresh = look(&pool).await.map_err(cannot_open)?;
    Ok(Pool::Sqlite { pool, fresh })
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

fn depth(connection: &SqliteConnection) -> usize {
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
    handle.set_commit_hook(move || committing.commit_asked());
    handle.set_rollback_hook(move || rolling_back.rolled_back());
    handle.set_progress_handler(INSTRUCTIONS, move || !running.is_dead());
    Ok(())
}

/// What a fresh connection looks like; compared at the end of every test.
async fn look(pool: &SqlitePool) -> Result<Vec<i64>, sqlx::Error> {
    let mut connection = pool.try_acquire().ok_or(sqlx::Error::PoolTimedOut)?;
    let mut seen = Vec::new();
    run(&mut connection, LOOK, &mut seen).await?;
    connection.return_to_pool().await;
    Ok(seen)
}

/// Ends the outer transaction of `pool` and puts its connection back.
pub(crate) async fn end(pool: &SqlitePool, guard: &Guard, fresh: &[i64]) -> Ended {
    // `try_acquire` runs no callback, so a lost transaction is not begun again just to be ended.
    let connection = match pool.try_acquire() {
        Some(connection) => Ok(connection),
        None => pool.acquire().await,
    };
    let mut connection = match connection {
        Ok(connection) => connection,
        Err(sqlx::Error::PoolClosed) => return Ended::Closed,
        Err(sqlx::Error::PoolTimedOut) => return Ended::Held,
        Err(error) => return Ended::Failed(error),
    };
    if guard.is_lost() {
        return Ended::Lost;
    }
    let ended = roll_back(&mut connection, guard, fresh)
        .await
        .unwrap_or_else(Ended::Failed);
    if matches!(ended, Ended::Clean) {
        // Dropping the connection would put it back in a task of its own, some time later.
        connection.return_to_pool().await;
    }
    ended
}

/// Rolls back the outer transaction, in one message to SQLite's thread if all is well.
async fn roll_back(
    connection: &mut SqliteConnection,
    guard: &Guard,
    fresh: &[i64],
) -> Result<Ended, sqlx::Error> {
    if depth(connection) != BASE_DEPTH {
        return Ok(Ended::Changed);
    }
    let _ending = guard.ending();
    let mut seen = Vec::new();
    let refused = run(connection, LOOK_AND_COMMIT, &mut seen).await;
    guard.over();
    match refused {
        Err(error) if has_code(&error, REFUSED_BY_COMMIT_HOOK) => Ok(if seen == fresh {
            Ended::Clean
        } else {
            Ended::Changed
        }),
        Err(error) if has_code(&error, FOREIGN_KEY) => {
            let rows = violations(connection).await;
            connection.execute("ROLLBACK").await?;
            Ok(Ended::Violated(rows?))
        }
        Err(error) => Err(error),
        // Nothing asked the hook: somebody took it away, and the rows are in the slot's database.
        Ok(()) => Ok(Ended::Changed),
    }
}

/// Runs a cached text of several statements and collects the first column of every row.
async fn run(
    connection: &mut SqliteConnection,
    sql: &'static str,
    seen: &mut Vec<i64>,
) -> Result<(), sqlx::Error> {
    let mut results = pin!(connection.fetch_many(sqlx::query(sql)));
    while let Some(result) = poll_fn(|context| results.as_mut().poll_next(context)).await {
        if let Either::Right(row) = result? {
            let value = row.try_get(0)?;
            // The temporary database, number 1, is listed once it has been used.
            if seen.len() < LOOK_VALUES || value != 1 {
                seen.push(value);
            }
        }
    }
    Ok(())
}

async fn violations(connection: &mut SqliteConnection) -> Result<Vec<String>, sqlx::Error> {
    let rows = connection
        .fetch_all("SELECT \"table\", rowid, parent FROM pragma_foreign_key_check LIMIT 10")
        .await?;
    rows.iter()
        .map(|row| {
            let (table, parent): (String, String) = (row.try_get(0)?, row.try_get(2)?);
            let row = row
                .try_get::<Option<i64>, _>(1)?
                .map_or_else(String::new, |id| format!(" row {id}"));
            Ok(format!(
                "`{table}`{row} refers to a row of `{parent}` that is not there"
            ))
        })
        .collect()
}

fn has_code(error: &sqlx::Error, code: &str) -> bool {
    error
        .as_database_error()
        .and_then(|error| error.code())
        .is_some_and(|found| found == code)
}

/// The pool as SeaORM sees it.
pub(crate) fn connection(pool: &SqlitePool) -> DatabaseConnection {
    SqlxSqliteConnector::from_sqlx_sqlite_pool(pool.clone())
}
