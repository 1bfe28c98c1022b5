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
//! * What the session counts tells a commit from a rollback, and from the server's own way out of a
//!   deadlock, which is no breach.
//!
//! sqlx is made to count several open transactions while there is one, so that a rollback too many
//! names a savepoint that does not exist.

use std::{sync::Arc, time::Duration};

use sqlx::{
    AssertSqlSafe, ConnectOptions as _, Connection as _, Executor, MySqlConnection, MySqlPool,
    Row as _,
    mysql::{MySqlConnectOptions, MySqlPoolOptions, MySqlRow, MySqlSslMode},
};
use sqlx_core::{sql_str::SqlSafeStr as _, transaction::TransactionManager};

use crate::driver::breach::{Breach, Broken};
use crate::driver::checkout::{TRACED, Verdict};
use crate::driver::guard_savepoint::{BASE_DEPTH, Mark, drain};
use crate::driver::handover::{Handover, connect};
use crate::driver::monitor::Guard;
use crate::driver::pool::Pool;
use crate::driver::restart::Known;
use crate::driver::{guard_savepoint, restart, stand_in};
use crate::error::{Error, Kind};
use crate::mysql::errors::has_number;
use crate::mysql::errors::help;
use crate::mysql::routines::Programs;
use crate::mysql::sandbox_finish::Ending;
use crate::mysql::session_audit::{Fate, Ledger};
use crate::mysql::{session_audit, statement_count};
use crate::server::admin_connection::when_free;
use crate::server::response_timeout::{ResponseTimeout, with_timeout};

type Manager = <sqlx::MySql as sqlx::Database>::TransactionManager;

/// Begins the outer transaction, the one that may write.
pub(crate) const BEGIN: &str = "START TRANSACTION READ WRITE";
/// The number of the error "SAVEPOINT does not exist".
const NO_SUCH_SAVEPOINT: u16 = 1305;

/// What it takes to open the pool of a slot, once for each test that must not have the pool of the
/// test before.
#[derive(Debug)]
pub(crate) struct Opening {
    /// How to connect to the database.
    pub(crate) real: MySqlConnectOptions,
    guard: Arc<Guard>,
    wait: Duration,
    ledger: Arc<Ledger>,
    /// The statements that end a test, once they are known.
    pub(crate) ending: Known<Ending>,
    pub(crate) handover: Handover<sqlx::MySql>,
}

/// Opens a guarded pool of one connection.
pub(crate) async fn open(
    options: &MySqlConnectOptions,
    guard: &Arc<Guard>,
    wait: Duration,
    programs: Programs,
) -> Result<Pool, Error> {
    let opening = Arc::new(Opening {
        real: options.clone(),
        guard: Arc::clone(guard),
        wait,
        ledger: Arc::new(Ledger::new(Mark::new())),
        ending: Known::default(),
        handover: Handover::default(),
    });
    let pool = opening.pool().await?;
    if let Some(failure) = guard.failure() {
        return Err(Error::new(
            Kind::Connection,
            "the transaction of a test could not be begun on MySQL",
        )
        .help("look at the cause; MySQL 8 and MariaDB 10 are known to work")
        .because(failure));
    }
    let looking = Ending::of(&pool, Arc::clone(&opening.ledger), programs);
    let known = with_timeout::<MySqlConnection, _>(options, "what a session is like", looking);
    let known = known.await.map_err(cannot_open)?;
    opening.ending.get_or_init(|| known);
    Ok(Pool::MySql { pool, opening })
}

/// Whether the options of a pool lead to a stand-in.
pub(crate) fn is_shielded() -> bool {
    stand_in::mysql().is_some()
}

impl Opening {
    pub(crate) fn mark(&self) -> &Mark {
        &self.ledger.mark
    }

    /// A pool over the connection that was handed over, or over a new one.
    pub(crate) async fn pool(self: &Arc<Self>) -> Result<MySqlPool, Error> {
        if self.handover.is_empty() {
            let connecting = || connect(&self.real, self.wait);
            let connection = when_free::<MySqlConnection, _, _>(connecting)
                .await
                .map_err(cannot_open)?;
            self.handover.put(connection, true);
        }
        let first = match stand_in::mysql() {
            // Nothing is set there, so nothing is asked.
            Some(address) => MySqlConnectOptions::new()
                .host(&address.ip().to_string())
                .port(address.port())
                .username(self.real.get_username())
                .database(self.real.get_database().unwrap_or_default())
                .ssl_mode(MySqlSslMode::Disabled)
                .pipes_as_concat(false)
                .no_engine_substitution(false)
                .timezone(None)
                .set_names(false),
            None => self.real.clone(),
        };
        let pool = self.pool_options().connect_with(first).await;
        pool.map_err(cannot_open)
    }

    fn pool_options(self: &Arc<Self>) -> MySqlPoolOptions {
        let (connecting, acquiring, releasing) =
            (Arc::clone(self), Arc::clone(&self.guard), Arc::clone(self));
        guard_savepoint::options::<sqlx::MySql>(self.wait)
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

    /// The pool has connected to the stand-in.
    async fn connected(&self, connection: &mut MySqlConnection) -> Result<(), sqlx::Error> {
        let mut is_new = true;
        if let Some(kept) = self.handover.take() {
            (*connection, is_new) = (kept.connection, kept.is_new);
        } else if is_shielded() {
            *connection = connect(&self.real, self.wait).await?;
        }
        // An error here would make the pool try again until the wait is over; it is remembered
        // instead, and the slot is not used.
        let mut failure = None;
        if is_new {
            failure = prepare(connection, self.wait, &self.ledger).await.err();
            // What is known of the first one is found out once it is in the pool.
            if failure.is_none() && self.ending.get().is_some() {
                failure = self.ledger.texts.learn_of_new(connection).await.err();
            }
        }
        self.guard.connected(failure.map(|error| error.to_string()));
        Ok(())
    }

    async fn released(&self, connection: &mut MySqlConnection) -> Result<bool, sqlx::Error> {
        let (guard, ledger) = (&self.guard, &self.ledger);
        if guard.finish().was_put_back() {
            let known = ledger.texts.are_known(connection);
            return Ok(answers(2 * self.wait, known).await);
        }
        let used = async {
            // The end of the test looks for the savepoint, too.
            if !guard.finish().is_wanted() {
                let renewed = renew(connection, guard, ledger).await;
                guard.released();
                if !renewed? {
                    return Ok::<_, sqlx::Error>(false);
                }
            }
            let is_clean = restart::released(connection, guard, &self.ending).await;
            Ok(is_clean && ledger.texts.are_known(connection).await?)
        };
        // A prepared query that was dropped half-way can leave answers behind that sqlx does not know
        // of: it then takes one for another, or waits for ever.
        let used = tokio::time::timeout(2 * self.wait, used).await;
        guard.released();
        match used {
            Ok(Ok(is_usable)) => Ok(is_usable),
            Ok(Err(error)) => {
                guard.broken(Broken::Error(error.to_string()));
                Err(error)
            }
            Err(_) => {
                guard.broken(Broken::Unanswered);
                Ok(false)
            }
        }
    }
}

/// Whether `known` is so, and in time.
async fn answers(within: Duration, known: impl Future<Output = Result<bool, sqlx::Error>>) -> bool {
    let known = tokio::time::timeout(within, known).await;
    matches!(known, Ok(Ok(true)))
}

fn cannot_open(error: sqlx::Error) -> Error {
    let fact = match error {
        sqlx::Error::PoolTimedOut => {
            "MySQL did not answer in time, while a connection for a test was being made"
        }
        _ if ResponseTimeout::of(&error).is_some() => "MySQL does not answer",
        _ => "MySQL cannot be reached",
    };
    let help = help(&error);
    Error::new(Kind::Connection, fact).help(help).because(error)
}

fn depth(connection: &MySqlConnection) -> usize {
    Manager::get_transaction_depth(connection)
}

/// Opens the outer transaction and sets the guard savepoint.
async fn prepare(
    connection: &mut MySqlConnection,
    wait: Duration,
    ledger: &Ledger,
) -> Result<(), sqlx::Error> {
    let seconds = wait.as_secs().max(1);
    if *TRACED {
        // Keeps the texts of the last statements, which makes every statement slower. A server that
        // cannot do so is none the worse.
        let _ = connection.execute(session_audit::REMEMBER).await;
    }
    // In one message, because a test may have to wait for it.
    let begin = format!(
        "SET SESSION innodb_lock_wait_timeout = {seconds}, SESSION lock_wait_timeout = {seconds}; \
         SET SESSION TRANSACTION READ ONLY; {BEGIN}; SAVEPOINT {}; {}",
        statement_count::savepoint(),
        ledger.mark.set
    );
    Manager::begin(connection, Some(AssertSqlSafe(begin).into_sql_str())).await?;
    deepen(connection).await?;
    ledger.open();
    Ok(())
}

/// Makes sqlx count up to the base, above a transaction that is open.
pub(crate) async fn deepen(connection: &mut MySqlConnection) -> Result<(), sqlx::Error> {
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
async fn renew(
    connection: &mut MySqlConnection,
    guard: &Guard,
    ledger: &Ledger,
) -> Result<bool, sqlx::Error> {
    match run(connection, &ledger.mark.renew, guard, ledger).await? {
        Some(_) => deepen(connection).await.map(|()| true),
        None => Ok(false),
    }
}

/// Runs `text`, which begins with the release of the guard savepoint, and returns its rows. Nothing
/// if the outer transaction has gone: that is told to `guard`.
pub(crate) async fn run(
    connection: &mut MySqlConnection,
    text: &str,
    guard: &Guard,
    ledger: &Ledger,
) -> Result<Option<Vec<MySqlRow>>, sqlx::Error> {
    drain(connection).await?;
    if depth(connection) > BASE_DEPTH {
        guard.ended(Breach::Unbalanced);
        return Ok(None);
    }
    if depth(connection) > 0 {
        match connection.fetch_all(AssertSqlSafe(text)).await {
            Ok(rows) => return Ok(Some(rows)),
            Err(error) if is_missing(&error, &ledger.mark.name()) => {}
            Err(error) => return Err(error),
        }
    }
    match ledger.fate(connection).await? {
        Fate::Committed(by) => guard.ended_by(Breach::Ended, Some(by)),
        Fate::RolledBack(by) => guard.ended_by(Breach::Rollback, Some(by)),
        Fate::Deadlocked => guard.rolled_back_by_server(),
    }
    Ok(None)
}

/// Ends every other connection to the slot's own database, which is not used again.
pub(crate) async fn cut(real: &MySqlConnectOptions) -> Result<(), sqlx::Error> {
    let mut connection = real.connect().await?;
    let sql = "SELECT id FROM information_schema.processlist \
               WHERE db = database() AND id <> connection_id()";
    for row in connection.fetch_all(sql).await? {
        let kill = format!("KILL {}", row.try_get_unchecked::<i64, _>(0)?);
        // It may have gone by itself meanwhile.
        let _ = connection.execute(AssertSqlSafe(kill)).await;
    }
    connection.close().await
}

/// Whether it says that there is no savepoint of that name.
pub(crate) fn is_missing(error: &sqlx::Error, savepoint: &str) -> bool {
    has_number(error, NO_SUCH_SAVEPOINT) && error.to_string().contains(savepoint)
}
