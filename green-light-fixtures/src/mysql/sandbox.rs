//! MySQL and MariaDB: a guard savepoint, and a session that is read-only outside the outer
//! transaction.
//!
//! Nothing can keep this database from committing: most statements that define something commit, and so does
//! `START TRANSACTION`. Instead:
//!
//! * A savepoint is set before each use of the connection and looked for after it. What ends the
//!   outer transaction takes it along, and the test that did it fails.
//! * Transactions of the session are read-only unless they say otherwise, as only the outer one does.
//!   So a statement that commits changes nothing else after that.
//! * The database of the slot is made again from the template before another test has it.
//! * The counters of the session tell a commit from a rollback, and both from a rollback by the server to break a
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
    mysql::{MySqlConnectOptions, MySqlSslMode},
};

use crate::driver::breach::{Broken, LOST};
use crate::driver::monitor::SandboxMonitor;
use crate::driver::outcome::FinishOutcome;
use crate::driver::sandbox::{Sandbox, connect};
use crate::driver::slot_finish::finish_on_way_back;
use crate::error::{Error, Kind};
use crate::mysql::sandbox_finish::FinishStatements;
use crate::mysql::session_audit::SessionAudit;
use crate::mysql::template_sql::TemplateTraces;
use crate::mysql::{outer_transaction, stand_in};
use crate::server::failure::cannot_open;
use crate::server::guard_savepoint::{BASE_DEPTH, GuardSavepoint};
use crate::server::response_timeout::with_timeout;
use crate::server::shortage::when_free;

/// The sandbox of a slot on MySQL.
#[derive(Debug)]
pub(crate) struct MySqlSandbox {
    options: MySqlConnectOptions,
    wait: Duration,
    traces: Arc<TemplateTraces>,
    audit: Arc<SessionAudit>,
    /// The statements that end a test, once they are known.
    finish: OnceLock<FinishStatements>,
}

impl MySqlSandbox {
    pub(crate) fn new(
        options: MySqlConnectOptions,
        wait: Duration,
        traces: Arc<TemplateTraces>,
    ) -> Self {
        Self {
            options,
            wait,
            traces,
            audit: Arc::new(SessionAudit::new(GuardSavepoint::new())),
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
        let address = (*stand_in::ADDRESS)?;
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
        monitor: &Arc<SandboxMonitor>,
    ) -> Result<(), sqlx::Error> {
        let counters = &self.traces.counters;
        monitor.watch_counters(Arc::clone(&counters.columns));
        counters.prepare(connection).await?;
        // Whatever has cost a test before its session may have moved them, too.
        let moved = counters.moved(connection).await?;
        counters.set_back(&moved, &self.options).await?;
        outer_transaction::begin(connection, self.wait, &self.audit).await?;
        // What is known of the first one is found out once it is in the pool.
        match self.finish.get() {
            Some(_) => self.audit.counter.learn_of_new(connection).await,
            None => Ok(()),
        }
    }

    async fn learn(&self, pool: &MySqlPool) -> Result<(), sqlx::Error> {
        let looking = FinishStatements::of(
            pool,
            Arc::clone(&self.audit),
            Arc::clone(&self.traces),
            self.options.clone(),
        );
        let finish =
            with_timeout::<MySqlConnection, _>(&self.options, "what a session is like", looking)
                .await?;
        self.finish.get_or_init(|| finish);
        Ok(())
    }

    async fn after_use(
        &self,
        connection: &mut MySqlConnection,
        monitor: &SandboxMonitor,
    ) -> Result<bool, sqlx::Error> {
        let audit = &self.audit;
        let used = async {
            // The end of the test looks for the savepoint, too.
            let ends = monitor.handoff().ends().await;
            if !ends {
                let renewed = outer_transaction::renew(connection, monitor, audit).await;
                monitor.released();
                if !renewed? {
                    return Ok::<_, sqlx::Error>(false);
                }
            }
            let is_clean = !ends || finish_on_way_back(self, connection, monitor).await;
            Ok(is_clean && audit.counter.verify(connection).await?)
        };
        // A prepared query that was dropped half-way can leave answers behind that sqlx does not know
        // of: it then takes one for another, or waits for ever.
        let used = tokio::time::timeout(2 * self.wait, used).await;
        monitor.released();
        match used {
            Ok(Ok(is_usable)) => Ok(is_usable),
            Ok(Err(error)) => {
                monitor.note_broken(Broken {
                    fact: LOST,
                    help: "look whether the server still runs, and whether something ended this session; MySQL closes \
                           a connection that sends more than its `max_allowed_packet` at once",
                    reason: Some(error.to_string()),
                });
                Err(error)
            }
            Err(_) => {
                monitor.note_broken(Broken {
                    fact: "lost its connection, and all its rows with it: it did not answer after its last use",
                    help: "await each query to its end: on MySQL sqlx cannot use the connection of a prepared query \
                           (all but `execute_unprepared`) that was dropped half-way, in production neither",
                    reason: None,
                });
                Ok(false)
            }
        }
    }

    async fn after_finish(&self, connection: &mut MySqlConnection) -> bool {
        let known = self.audit.counter.verify(connection);
        let known = tokio::time::timeout(2 * self.wait, known).await;
        matches!(known, Ok(Ok(true)))
    }

    async fn finish(
        &self,
        connection: &mut MySqlConnection,
        monitor: &SandboxMonitor,
    ) -> FinishOutcome {
        match self.finish.get() {
            Some(finish) => finish.run(connection, monitor).await,
            None => FinishOutcome::Changed,
        }
    }

    async fn is_usable(&self, connection: &mut MySqlConnection) -> bool {
        let known = self.audit.counter.verify(connection).await;
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
        Some(self.audit.guard_savepoint.name())
    }

    fn cannot_open(error: sqlx::Error) -> Error {
        cannot_open::<MySqlConnection>(error)
    }

    fn cannot_begin() -> Error {
        Error::new(
            Kind::Connection,
            "the transaction of a test could not be begun on MySQL",
        )
        .help("look at the cause; MySQL 8 and MariaDB 10 are known to work")
    }
}
