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

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use sqlx::{
    AssertSqlSafe, ConnectOptions as _, Connection as _, Executor, MySql, MySqlConnection,
    MySqlPool, Row as _,
    mysql::{MySqlConnectOptions, MySqlRow, MySqlSslMode},
};
use sqlx_core::{sql_str::SqlSafeStr as _, transaction::TransactionManager};

use crate::driver::breach::{Breach, Broken};
use crate::driver::checkout::TRACED;
use crate::driver::handover::connect;
use crate::driver::monitor::Guard;
use crate::driver::outcome::Ended;
use crate::driver::sandbox::{Sandbox, depth};
use crate::driver::slot_finish::finish_if_requested;
use crate::error::{Error, Kind};
use crate::mysql::errors::has_number;
use crate::mysql::errors::help;
use crate::mysql::routines::Programs;
use crate::mysql::sandbox_finish::Finish;
use crate::mysql::session_audit::{Fate, Ledger};
use crate::mysql::{session_audit, stand_in, statement_count};
use crate::server::admin_connection::when_free;
use crate::server::guard_savepoint::{BASE_DEPTH, Mark, drain};
use crate::server::response_timeout::{ResponseTimeout, with_timeout};

type Manager = <MySql as sqlx::Database>::TransactionManager;

/// Begins the outer transaction, the one that may write.
pub(crate) const BEGIN: &str = "START TRANSACTION READ WRITE";
/// The number of the error "SAVEPOINT does not exist".
const NO_SUCH_SAVEPOINT: u16 = 1305;

/// The sandbox of a slot on MySQL.
#[derive(Debug)]
pub(crate) struct MySqlSandbox {
    options: MySqlConnectOptions,
    wait: Duration,
    programs: Programs,
    ledger: Arc<Ledger>,
    /// The statements that end a test, once they are known.
    finish: OnceLock<Finish>,
}

impl MySqlSandbox {
    pub(crate) fn new(options: MySqlConnectOptions, wait: Duration, programs: Programs) -> Self {
        Self {
            options,
            wait,
            programs,
            ledger: Arc::new(Ledger::new(Mark::new())),
            finish: OnceLock::new(),
        }
    }
}

impl Sandbox for MySqlSandbox {
    type Db = MySql;
    const BASE_DEPTH: usize = BASE_DEPTH;

    fn options(&self) -> &MySqlConnectOptions {
        &self.options
    }

    fn stand_in(&self) -> Option<MySqlConnectOptions> {
        let address = stand_in::address()?;
        // Nothing is set there, so nothing is asked.
        let options = MySqlConnectOptions::new()
            .host(&address.ip().to_string())
            .port(address.port())
            .username(self.options.get_username())
            .database(self.options.get_database().unwrap_or_default())
            .ssl_mode(MySqlSslMode::Disabled)
            .pipes_as_concat(false)
            .no_engine_substitution(false)
            .timezone(None)
            .set_names(false);
        Some(options)
    }

    async fn connect(&self, wait: Duration) -> Result<MySqlConnection, sqlx::Error> {
        when_free::<MySqlConnection, _, _>(|| connect(&self.options, wait)).await
    }

    async fn begin(
        &self,
        connection: &mut MySqlConnection,
        _guard: &Arc<Guard>,
    ) -> Result<(), sqlx::Error> {
        prepare(connection, self.wait, &self.ledger).await?;
        // What is known of the first one is found out once it is in the pool.
        match self.finish.get() {
            Some(_) => self.ledger.texts.learn_of_new(connection).await,
            None => Ok(()),
        }
    }

    async fn learn(&self, pool: &MySqlPool) -> Result<(), sqlx::Error> {
        let looking = Finish::of(pool, Arc::clone(&self.ledger), self.programs);
        let finish =
            with_timeout::<MySqlConnection, _>(&self.options, "what a session is like", looking)
                .await?;
        self.finish.get_or_init(|| finish);
        Ok(())
    }

    async fn after_use(
        &self,
        connection: &mut MySqlConnection,
        guard: &Guard,
    ) -> Result<bool, sqlx::Error> {
        let ledger = &self.ledger;
        let used = async {
            // The end of the test looks for the savepoint, too.
            if !guard.finish().is_wanted() {
                let renewed = renew(connection, guard, ledger).await;
                guard.released();
                if !renewed? {
                    return Ok::<_, sqlx::Error>(false);
                }
            }
            let is_clean = finish_if_requested(self, connection, guard).await;
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

    async fn after_finish(&self, connection: &mut MySqlConnection) -> bool {
        let known = self.ledger.texts.are_known(connection);
        let known = tokio::time::timeout(2 * self.wait, known).await;
        matches!(known, Ok(Ok(true)))
    }

    async fn finish(&self, connection: &mut MySqlConnection, guard: &Guard) -> Ended {
        match self.finish.get() {
            Some(finish) => finish.run(connection, guard).await,
            None => Ended::Changed,
        }
    }

    async fn is_usable(&self, connection: &mut MySqlConnection) -> bool {
        // The answer was waited for. What is in doubt is not known before the server is asked.
        let known = self.ledger.texts.are_known(connection).await;
        known.unwrap_or(false)
    }

    async fn kill_sessions(&self) -> Result<(), sqlx::Error> {
        let mut connection = self.options.connect().await?;
        let sql = "SELECT id FROM information_schema.processlist \
                   WHERE db = database() AND id <> connection_id()";
        for row in connection.fetch_all(sql).await? {
            let kill = format!("KILL {}", row.try_get_unchecked::<i64, _>(0)?);
            // It may have gone by itself meanwhile.
            let _ = connection.execute(AssertSqlSafe(kill)).await;
        }
        connection.close().await
    }

    fn guard_savepoint(&self) -> Option<Arc<str>> {
        Some(self.ledger.mark.name())
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

    fn cannot_begin() -> Error {
        Error::new(
            Kind::Connection,
            "the transaction of a test could not be begun on MySQL",
        )
        .help("look at the cause; MySQL 8 and MariaDB 10 are known to work")
    }
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
    let first = depth::<MySql>(connection);
    if first == BASE_DEPTH {
        return Ok(());
    }
    while depth::<MySql>(connection) < BASE_DEPTH {
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
    if depth::<MySql>(connection) > BASE_DEPTH {
        guard.ended(Breach::Unbalanced);
        return Ok(None);
    }
    if depth::<MySql>(connection) > 0 {
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

/// Whether it says that there is no savepoint of that name.
pub(crate) fn is_missing(error: &sqlx::Error, savepoint: &str) -> bool {
    has_number(error, NO_SUCH_SAVEPOINT) && error.to_string().contains(savepoint)
}
