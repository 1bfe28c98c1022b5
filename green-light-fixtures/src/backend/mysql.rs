//! MySQL and MariaDB: a guard savepoint, and a session that is read-only outside the outer
//! transaction.
//!
//! Nothing can keep this database from committing: most statements that define something do, and
//! `START TRANSACTION` does. What is done instead:
//!
//! * A savepoint is set before each use of the connection and looked for after it. Whoever ends the
//!   outer transaction takes it along, and the test that did it fails.
//! * Transactions of the session are read-only unless they say otherwise, as only the outer one does.
//!   So a statement that commits changes nothing else after that.
//! * The database of the slot is made anew before another test has it.
//! * The session keeps a history of its statements, from which the guilty one is named.
//!
//! sqlx is made to count several open transactions while there is one, so that a rollback too many
//! names a savepoint that does not exist.

use std::{sync::Arc, time::Duration};

use sea_orm::{DatabaseConnection, SqlxMySqlConnector};
use sqlx::{
    AssertSqlSafe, Executor, MySqlConnection, MySqlPool,
    mysql::{MySqlConnectOptions, MySqlDatabaseError},
};
use sqlx_core::{sql_str::SqlSafeStr as _, transaction::TransactionManager};

use super::{
    Ended, Pool,
    kept::{self, BASE_DEPTH, drain},
    mysql_history::{self, History},
};
use crate::{
    error::{Error, Kind},
    sandbox::{Breach, Guard, Verdict},
};

type Manager = <sqlx::MySql as sqlx::Database>::TransactionManager;

/// Begins the outer transaction, the one that may write.
const BEGIN: &str = "START TRANSACTION READ WRITE";
pub(super) const MARK: &str = "SAVEPOINT green_light";
/// Sets the guard savepoint anew; an error if the outer transaction has ended.
const RENEW: &str = "RELEASE SAVEPOINT green_light; SAVEPOINT green_light";
/// The number of the error "SAVEPOINT does not exist".
const NO_SUCH_SAVEPOINT: u16 = 1305;

/// Opens a guarded pool of one connection.
pub(crate) async fn open(
    options: &MySqlConnectOptions,
    guard: &Arc<Guard>,
    wait: Duration,
) -> Result<Pool, Error> {
    let (connecting, acquiring, releasing) =
        (Arc::clone(guard), Arc::clone(guard), Arc::clone(guard));
    let pool = kept::options(wait)
        .after_connect(move |connection, _| {
            let guard = Arc::clone(&connecting);
            Box::pin(async move {
                // An error here would make the pool try again until the wait is over; it is
                // remembered instead, and the slot is not used.
                let failure = prepare(connection, wait).await.err();
                guard.connected(failure.map(|error| error.to_string()));
                Ok(())
            })
        })
        .before_acquire(move |connection, _| {
            let verdict = acquiring.check_out(depth(connection), BASE_DEPTH);
            Box::pin(async move { Ok(verdict == Verdict::Ready) })
        })
        .after_release(move |connection, _| {
            let guard = Arc::clone(&releasing);
            Box::pin(async move {
                if guard.is_ending() {
                    return Ok(true);
                }
                let renewed = renew(connection, &guard).await;
                guard.released();
                renewed
            })
        })
        .connect_with(options.clone())
        .await
        .map_err(cannot_open)?;
    if let Some(failure) = guard.failure() {
        return Err(Error::new(
            Kind::Connection,
            "the transaction of a test could not be begun on MySQL",
        )
        .help("look at the cause; MySQL 8 and MariaDB 10 are known to work")
        .because(failure));
    }
    Ok(Pool::MySql { pool })
}

pub(crate) fn cannot_open(error: sqlx::Error) -> Error {
    Error::new(Kind::Connection, "MySQL could not be reached")
        .help("look at `GREEN_LIGHT_MYSQL_URL`, and whether its server runs")
        .because(error)
}

fn depth(connection: &MySqlConnection) -> usize {
    Manager::get_transaction_depth(connection)
}

/// Opens the outer transaction and sets the guard savepoint.
async fn prepare(connection: &mut MySqlConnection, wait: Duration) -> Result<(), sqlx::Error> {
    let seconds = wait.as_secs().max(1);
    let settings = format!(
        "SET SESSION innodb_lock_wait_timeout = {seconds}, SESSION lock_wait_timeout = {seconds}; \
         SET SESSION TRANSACTION READ ONLY"
    );
    connection.execute(AssertSqlSafe(settings)).await?;
    Manager::begin(connection, Some(BEGIN.into_sql_str())).await?;
    connection.execute(MARK).await?;
    deepen(connection).await?;
    mysql_history::start(connection).await
}

/// Makes sqlx count up to the base, above a transaction that is open.
async fn deepen(connection: &mut MySqlConnection) -> Result<(), sqlx::Error> {
    let first = depth(connection);
    if first == BASE_DEPTH {
        return Ok(());
    }
    while depth(connection) < BASE_DEPTH {
        Manager::begin(connection, None).await?;
    }
    let release = format!("RELEASE SAVEPOINT _sqlx_savepoint_{first}");
    connection.execute(AssertSqlSafe(release)).await.map(drop)
}

/// Sets the guard savepoint for the next use. `false` if the connection is not to be used again.
async fn renew(connection: &mut MySqlConnection, guard: &Guard) -> Result<bool, sqlx::Error> {
    drain(connection).await?;
    if depth(connection) > BASE_DEPTH {
        guard.ended(Breach::Unbalanced);
        return Ok(false);
    }
    if depth(connection) > 0 {
        match connection.execute(RENEW).await {
            Ok(_) => return deepen(connection).await.map(|()| true),
            Err(error) if has_number(&error, NO_SUCH_SAVEPOINT) => {}
            Err(error) => return Err(error),
        }
    }
    let history = History::of(connection).await?;
    match history.culprit() {
        Some(culprit) => guard.ended_by(Breach::Ended, culprit),
        // Nothing the test sent ends transactions: the server did, to break a deadlock.
        None if history.is_kept() => guard.rolled_back_by_server(),
        None => guard.ended(Breach::Ended),
    }
    Ok(false)
}

/// Ends the outer transaction of `pool`, begins the next one and puts the connection back.
pub(crate) async fn end(pool: &MySqlPool, guard: &Guard) -> Ended {
    let mut connection = match kept::take(pool).await {
        Ok(connection) => connection,
        Err(ended) => return ended,
    };
    if guard.is_lost() {
        return Ended::Lost;
    }
    let _ending = guard.ending();
    let ended = restart(&mut connection).await.unwrap_or_else(Ended::Failed);
    if matches!(ended, Ended::Clean) {
        // Dropping the connection would put it back in a task of its own, some time later.
        connection.return_to_pool().await;
    }
    ended
}

/// One message: what the test has sent, then the rollback and the next transaction.
async fn restart(connection: &mut MySqlConnection) -> Result<Ended, sqlx::Error> {
    let history = History::and_then(connection, &format!("ROLLBACK; {BEGIN}; {MARK}")).await?;
    Ok(if history.leaves_something() {
        Ended::Changed
    } else {
        Ended::Clean
    })
}

fn has_number(error: &sqlx::Error, number: u16) -> bool {
    error
        .as_database_error()
        .and_then(|error| error.try_downcast_ref::<MySqlDatabaseError>())
        .is_some_and(|error| error.number() == number)
}

/// The pool as SeaORM sees it.
pub(crate) fn connection(pool: &MySqlPool) -> DatabaseConnection {
    SqlxMySqlConnector::from_sqlx_mysql_pool(pool.clone())
}
