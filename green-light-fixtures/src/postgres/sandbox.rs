//! PostgreSQL: a guard savepoint, a constraint that no commit can meet, a session that is read-only
//! outside the outer transaction.
//!
//! What keeps the outer transaction:
//!
//! * sqlx is made to count several open transactions while PostgreSQL has one, the outer. A
//!   rollback too many, which sqlx sends when a `begin` fails or is cancelled half-way, then names a
//!   savepoint that does not exist, an error like any other. With one level it would end the outer
//!   transaction.
//! * A savepoint is set before each use of the connection and looked for after it. An SQL error
//!   aborts the transaction up to there and no further, and what ends the outer transaction takes
//!   the savepoint along: that is the breach. One message does both, [`GuardSavepoint::renew`], after each use.
//! * A deferred constraint trigger refuses to commit (see [`guard`](super::guard)), and leaves a note of the text that
//!   asked for it: a prepared statement, which no rollback takes away.
//! * Transactions of the session are read-only unless they say otherwise, as only the outer one does.
//!   So what follows a `ROLLBACK` as text cannot write.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use sqlx::{
    ConnectOptions as _, Connection as _, Executor, PgConnection, PgPool, Postgres,
    postgres::{PgConnectOptions, PgSslMode},
};

use crate::driver::breach::{Broken, LOST};
use crate::driver::monitor::SandboxMonitor;
use crate::driver::outcome::FinishOutcome;
use crate::driver::sandbox::{Sandbox, connect_unless};
use crate::driver::slot_finish::finish_on_way_back;
use crate::error::{Error, Kind};
use crate::postgres::commit::CommitEffects;
use crate::postgres::outer_transaction::{self, new_token};
use crate::postgres::sandbox_finish::FinishStatements;
use crate::postgres::stand_in;
use crate::server::failure::cannot_open;
use crate::server::guard_savepoint::{BASE_DEPTH, GuardSavepoint};
use crate::server::response_timeout::with_timeout;
use crate::server::server_connection::ServerConnection as _;
use crate::server::shortage::when_free;

/// The sandbox of a slot on PostgreSQL, whose database holds the guard.
#[derive(Debug)]
pub(crate) struct PostgresSandbox {
    options: PgConnectOptions,
    guard_savepoint: GuardSavepoint,
    /// What the row of the outer transaction in `green_light.guard` holds.
    token: i64,
    /// The statements that end a test, once they are known.
    finish: OnceLock<FinishStatements>,
    /// What ends with the application's transactions.
    effects: OnceLock<CommitEffects>,
}

impl PostgresSandbox {
    pub(crate) fn new(options: &PgConnectOptions, wait: Duration) -> Self {
        Self {
            options: slot_options(options, wait),
            guard_savepoint: GuardSavepoint::new(),
            token: new_token(),
            finish: OnceLock::new(),
            effects: OnceLock::new(),
        }
    }

    /// A test begins.
    fn renew_effects(&self, connection: &PgConnection) {
        if let Some(effects) = self.effects.get() {
            effects.reset(connection);
        }
    }
}

impl Sandbox for PostgresSandbox {
    type Db = Postgres;
    const BASE_DEPTH: usize = BASE_DEPTH;

    fn options(&self) -> &PgConnectOptions {
        &self.options
    }

    fn stand_in(&self) -> Option<PgConnectOptions> {
        let address = (*stand_in::ADDRESS)?;
        let options = PgConnectOptions::new_without_pgpass()
            .host(&address.ip().to_string())
            .port(address.port())
            .username(self.options.get_username())
            .database(self.options.get_database().unwrap_or_default())
            .ssl_mode(PgSslMode::Disable);
        Some(options)
    }

    async fn connect(&self, wait: Duration) -> Result<PgConnection, sqlx::Error> {
        when_free::<PgConnection, _, _>(|| {
            connect_unless::<PgConnection>(&self.options, wait, PgConnection::is_full)
        })
        .await
    }

    async fn begin(
        &self,
        connection: &mut PgConnection,
        monitor: &Arc<SandboxMonitor>,
    ) -> Result<(), sqlx::Error> {
        if self.finish.get().is_none() {
            let looking = FinishStatements::of(connection, &self.guard_savepoint, self.token);
            let what = "what a session is like";
            let looking = with_timeout::<PgConnection, _>(&self.options, what, looking);
            let (finish, suspects, effects) = looking.await?;
            monitor.suspect(suspects);
            self.effects.get_or_init(|| effects);
            self.finish.get_or_init(|| finish);
        }
        self.renew_effects(connection);
        outer_transaction::begin(connection, &self.guard_savepoint, self.token).await
    }

    async fn learn(&self, _pool: &PgPool) -> Result<(), sqlx::Error> {
        Ok(())
    }

    async fn after_use(
        &self,
        connection: &mut PgConnection,
        monitor: &SandboxMonitor,
    ) -> Result<bool, sqlx::Error> {
        let (guard_savepoint, effects) = (&self.guard_savepoint, self.effects.get());
        let renewed = outer_transaction::renew(connection, guard_savepoint, monitor, effects).await;
        match &renewed {
            Ok(Some((breach, by))) => monitor.ended_by(*breach, by.clone()),
            Ok(None) => {}
            Err(error) => monitor.note_broken(Broken {
                fact: LOST,
                help: "look whether the server still runs, and whether something ended this session",
                reason: Some(error.to_string()),
            }),
        }
        monitor.released();
        match renewed? {
            None if monitor.handoff().ends().await => {
                Ok(finish_on_way_back(self, connection, monitor).await)
            }
            None => Ok(true),
            Some(_) => Ok(false),
        }
    }

    async fn finish(
        &self,
        connection: &mut PgConnection,
        monitor: &SandboxMonitor,
    ) -> FinishOutcome {
        let effects = self.effects.get();
        let has_set = effects.is_some_and(CommitEffects::has_set);
        let checked = effects.map_or(0, CommitEffects::take_checked);
        self.renew_effects(connection);
        match self.finish.get() {
            Some(finish) => finish
                .run(connection, self.token, monitor, (has_set, checked))
                .await
                .unwrap_or_else(FinishOutcome::Failed),
            None => FinishOutcome::Changed,
        }
    }

    async fn kill_sessions(&self) -> Result<(), sqlx::Error> {
        let mut connection = self.options.connect().await?;
        let sql = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
                   WHERE datname = current_database() AND pid <> pg_backend_pid() \
                   AND usename = current_user";
        connection.execute(sql).await?;
        connection.close().await
    }

    fn guard_savepoint(&self) -> Option<Arc<str>> {
        Some(self.guard_savepoint.name())
    }

    fn cannot_open(error: sqlx::Error) -> Error {
        cannot_open::<PgConnection>(error)
    }

    fn cannot_begin() -> Error {
        Error::new(
            Kind::Connection,
            "the transaction of a test could not be begun on PostgreSQL",
        )
        .help("look at the cause; the schema must leave the schema `green_light` alone")
    }
}

fn slot_options(options: &PgConnectOptions, wait: Duration) -> PgConnectOptions {
    options.clone().options([
        ("default_transaction_read_only", "on"),
        ("idle_in_transaction_session_timeout", "0"),
        ("lock_timeout", &format!("{}ms", wait.as_millis())),
    ])
}
