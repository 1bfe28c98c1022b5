//! How the outer transaction of a test ends on MySQL: the session is checked, it is rolled back, and the next one
//! begins, in one message; in two if the test has begun a transaction.

use std::sync::Arc;

use sqlx::{
    AssertSqlSafe, Executor, MySql, MySqlConnection, MySqlPool,
    mysql::{MySqlConnectOptions, MySqlRow},
};

use crate::driver::breach::{Breach, BreachCause};
use crate::driver::monitor::SandboxMonitor;
use crate::driver::outcome::FinishOutcome;
use crate::mysql::committed::has_other_rows;
use crate::mysql::counters::Counters;
use crate::mysql::outer_transaction::{BEGIN, is_missing, run};
use crate::mysql::session_audit::{BY_AUTOCOMMIT, SessionAudit, SessionVariables};
use crate::mysql::statement_count;
use crate::mysql::template_sql::TemplateTraces;
use crate::server::guard_savepoint::raise_depth;

/// How many texts besides those about savepoints end one test and begin the next: the query of the variables,
/// `ROLLBACK` and `START TRANSACTION`.
const OWN: u64 = 3;

/// The statements that end a test, and the variables of a session in which nothing was changed.
#[derive(Debug)]
pub(crate) struct FinishStatements {
    all: String,
    /// What is sent in place of the rest of it if the test has begun a transaction.
    rest: String,
    /// The savepoint that tells whether the test has begun a transaction.
    savepoint: String,
    variables: SessionVariables,
    traces: Arc<TemplateTraces>,
    audit: Arc<SessionAudit>,
    /// How to connect to the database.
    options: MySqlConnectOptions,
}

impl FinishStatements {
    /// Asks a new session for its variables, which every later test has to leave as they are.
    pub(crate) async fn of(
        pool: &MySqlPool,
        audit: Arc<SessionAudit>,
        traces: Arc<TemplateTraces>,
        options: MySqlConnectOptions,
    ) -> Result<Self, sqlx::Error> {
        let mut connection = pool.try_acquire().ok_or(sqlx::Error::PoolTimedOut)?;
        let variables = SessionVariables::of(&mut connection).await?;
        audit.begin(&mut connection).await?;
        connection.return_to_pool().await;
        let (guard, savepoint) = (&audit.guard_savepoint, statement_count::savepoint());
        let rest = format!(
            "{}; ROLLBACK; {BEGIN}; SAVEPOINT {savepoint}; {}",
            variables.query(),
            guard.set
        );
        Ok(Self {
            all: format!(
                "RELEASE SAVEPOINT {}; RELEASE SAVEPOINT {savepoint}; {rest}",
                guard.name()
            ),
            rest,
            savepoint,
            variables,
            traces,
            audit,
            options,
        })
    }

    /// Ends the transaction, and returns what the session replied. `None` if the transaction had ended before.
    async fn reply(
        &self,
        connection: &mut MySqlConnection,
        monitor: &SandboxMonitor,
    ) -> Result<Option<Vec<MySqlRow>>, sqlx::Error> {
        match run(connection, &self.all, monitor, &self.audit).await {
            Err(error) if is_missing(&error, &self.savepoint) => {
                self.audit.counter.mark_uncertain();
                let rows = connection.fetch_all(AssertSqlSafe(&*self.rest)).await?;
                Ok(Some(rows))
            }
            other => other,
        }
    }

    pub(crate) async fn run(
        &self,
        connection: &mut MySqlConnection,
        monitor: &SandboxMonitor,
    ) -> FinishOutcome {
        let reply = match self.reply(connection, monitor).await {
            Ok(reply) => reply,
            Err(error) => return FinishOutcome::Failed(error),
        };
        // If a use of the connection comes to its end here, it may have left something.
        monitor.released();
        let Some(rows) = reply else {
            return FinishOutcome::Lost;
        };
        let may_be_dirty = monitor.has_untracked_use()
            || monitor.session_dirty()
            || self.traces.programs_dirty_session;
        if may_be_dirty || !self.variables.are_those_of(rows.first()) {
            return self.worn(connection, monitor).await;
        }
        let mut texts = monitor.text_statements() + OWN;
        if monitor.counters_moved() {
            texts += Counters::TEXTS;
            match self.traces.counters.moved(connection).await {
                Ok(moved) if moved.is_empty() => {}
                // The next session sets them back.
                Ok(_) => return FinishOutcome::Worn,
                Err(error) => return FinishOutcome::Failed(error),
            }
        }
        self.audit.restarted(texts);
        match raise_depth::<MySql>(connection).await {
            Ok(()) => FinishOutcome::Clean,
            Err(error) => FinishOutcome::Failed(error),
        }
    }

    /// The session goes to no other test, but its database does: unless a text has committed something, and has then set
    /// a savepoint of the name of ours. The server counts a commit, but not that by `SET autocommit`, which is known by the
    /// rows.
    async fn worn(
        &self,
        connection: &mut MySqlConnection,
        monitor: &SandboxMonitor,
    ) -> FinishOutcome {
        if !self.audit.is_without_savepoints() {
            self.audit.restarted(0);
            match self.audit.hidden_end(connection).await {
                Ok(None) => {}
                Ok(Some(by)) => {
                    monitor.ended_by(Breach::Ended, Some(by));
                    return FinishOutcome::Lost;
                }
                Err(error) => return FinishOutcome::Failed(error),
            }
        }
        match SessionAudit::may_have_committed_by_autocommit(connection).await {
            Ok(false) => return FinishOutcome::Worn,
            Ok(true) => {}
            Err(error) => return FinishOutcome::Failed(error),
        }
        // No other test gets the database, whatever has become of it. What others may have committed tells nothing.
        if monitor.was_url_asked_for() {
            return FinishOutcome::Changed;
        }
        match has_other_rows(&self.options, &self.traces.template).await {
            Ok(false) => FinishOutcome::Changed,
            Ok(true) => {
                let by = BreachCause::Kind(BY_AUTOCOMMIT.to_owned());
                monitor.ended_by(Breach::Ended, Some(by));
                FinishOutcome::Lost
            }
            Err(error) => FinishOutcome::Failed(error),
        }
    }
}
