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
//!   aborts the transaction up to there and no further, and whoever ends the outer transaction takes
//!   the savepoint along: that is the breach. One message does both, [`Mark::renew`], after each use.
//! * A deferred constraint trigger refuses to commit (see [`guard`](super::guard)), and leaves a note of the text that
//!   asked for it: a prepared statement, which no rollback takes away.
//! * Transactions of the session are read-only unless they say otherwise, as only the outer one does.
//!   So what follows a `ROLLBACK` as text cannot write.

use std::{
    sync::{Arc, OnceLock},
    time::{Duration, Instant},
};

use sqlx::{
    AssertSqlSafe, ConnectOptions as _, Connection as _, Executor, PgConnection, PgPool, Postgres,
    Row as _,
    postgres::{PgConnectOptions, PgSslMode},
};
use sqlx_core::{sql_str::SqlSafeStr as _, transaction::TransactionManager};

use crate::driver::breach::{Breach, Broken, By};
use crate::driver::monitor::Guard;
use crate::driver::outcome::Ended;
use crate::driver::sandbox::{Sandbox, depth};
use crate::driver::slot_finish::finish_if_requested;
use crate::error::{Error, Kind};
use crate::postgres::errors::help;
use crate::postgres::sandbox_finish::Finish;
use crate::postgres::stand_in;
use crate::server::guard_savepoint::{BASE_DEPTH, Mark, drain, has_code};
use crate::server::response_timeout::{ResponseTimeout, with_timeout};

type Manager = <Postgres as sqlx::Database>::TransactionManager;

/// Begins the outer transaction: the one that may write, and that no commit can end.
pub(crate) const BEGIN: &str = "BEGIN READ WRITE; INSERT INTO green_light.guard VALUES (1)";
/// What the trigger noted when it refused to commit, and how many milliseconds ago.
const REFUSED: &str = "SELECT pg_catalog.substr(statement, 35), \
    (extract(epoch FROM pg_catalog.clock_timestamp() - prepare_time) * 1000)::float8 \
    FROM pg_catalog.pg_prepared_statements WHERE name = 'green_light_refused'";

/// A row if columns have been changed in this transaction; 1249 is `pg_attribute`.
const ALTERED: &str = "SELECT 1 WHERE pg_catalog.pg_stat_get_xact_tuples_inserted(1249) \
    + pg_catalog.pg_stat_get_xact_tuples_updated(1249) \
    + pg_catalog.pg_stat_get_xact_tuples_deleted(1249) > 0";

const IN_FAILED_TRANSACTION: &str = "25P02";
const QUERY_CANCELED: &str = "57014";

/// The sandbox of a slot on PostgreSQL, whose database holds the guard.
#[derive(Debug)]
pub(crate) struct PostgresSandbox {
    options: PgConnectOptions,
    mark: Mark,
    /// The statements that end a test, once they are known.
    finish: OnceLock<Finish>,
}

impl PostgresSandbox {
    pub(crate) fn new(options: &PgConnectOptions, wait: Duration) -> Self {
        Self {
            options: slot_options(options, wait),
            mark: Mark::new(),
            finish: OnceLock::new(),
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
        let address = stand_in::address()?;
        let options = PgConnectOptions::new_without_pgpass()
            .host(&address.ip().to_string())
            .port(address.port())
            .username(self.options.get_username())
            .database(self.options.get_database().unwrap_or_default())
            .ssl_mode(PgSslMode::Disable);
        Some(options)
    }

    /// Opens the outer transaction and sets the guard savepoint.
    async fn begin(
        &self,
        connection: &mut PgConnection,
        _guard: &Arc<Guard>,
    ) -> Result<(), sqlx::Error> {
        Manager::begin(connection, Some(BEGIN.into_sql_str())).await?;
        connection.execute(AssertSqlSafe(&*self.mark.set)).await?;
        deepen(connection).await
    }

    async fn learn(&self, pool: &PgPool) -> Result<(), sqlx::Error> {
        let looking = Finish::of(pool, &self.mark);
        let finish =
            with_timeout::<PgConnection, _>(&self.options, "what a session is like", looking)
                .await?;
        self.finish.get_or_init(|| finish);
        Ok(())
    }

    async fn after_use(
        &self,
        connection: &mut PgConnection,
        guard: &Guard,
    ) -> Result<bool, sqlx::Error> {
        let renewed = renew(connection, &self.mark, guard).await;
        match &renewed {
            Ok(Some((breach, by))) => guard.ended_by(*breach, by.clone()),
            Ok(None) => {}
            Err(error) => guard.broken(Broken::Error(error.to_string())),
        }
        guard.released();
        match renewed? {
            None => Ok(finish_if_requested(self, connection, guard).await),
            Some(_) => Ok(false),
        }
    }

    async fn finish(&self, connection: &mut PgConnection, _guard: &Guard) -> Ended {
        match self.finish.get() {
            Some(finish) => finish.run(connection).await.unwrap_or_else(Ended::Failed),
            None => Ended::Changed,
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
        Some(self.mark.name())
    }

    fn cannot_open(error: sqlx::Error) -> Error {
        let fact = match error {
            sqlx::Error::PoolTimedOut => {
                "PostgreSQL did not answer in time, while a connection for a test was being made"
            }
            _ if ResponseTimeout::of(&error).is_some() => "PostgreSQL does not answer",
            _ => "PostgreSQL cannot be reached",
        };
        let help = help(&error);
        Error::new(Kind::Connection, fact).help(help).because(error)
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

/// Makes sqlx count up to the base, above a transaction that is open.
async fn deepen(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    let first = depth::<Postgres>(connection);
    if first == BASE_DEPTH {
        return Ok(());
    }
    while depth::<Postgres>(connection) < BASE_DEPTH {
        Manager::begin(connection, None).await?;
    }
    let release = format!("RELEASE SAVEPOINT _sqlx_savepoint_{first}");
    connection.execute(AssertSqlSafe(release)).await.map(drop)
}

/// Sets the guard savepoint for the next use, or says what happened to the outer transaction.
async fn renew(
    connection: &mut PgConnection,
    mark: &Mark,
    guard: &Guard,
) -> Result<Option<(Breach, Option<By>)>, sqlx::Error> {
    drain(connection).await?;
    match depth::<Postgres>(connection) {
        0 => return ended(connection, guard.held_since()).await.map(Some),
        BASE_DEPTH.. if depth::<Postgres>(connection) > BASE_DEPTH => {
            return Ok(Some((Breach::Unbalanced, None)));
        }
        _ => {}
    }
    let altered = match guard.defined() {
        Some(defined) => connection
            .execute(AssertSqlSafe(&*mark.renew))
            .await
            .map(|_| defined),
        // What was sent is known to the server alone.
        None => {
            let text = format!("{}; {ALTERED}", mark.renew);
            let rows = connection.fetch_all(AssertSqlSafe(text)).await;
            rows.map(|rows| !rows.is_empty())
        }
    };
    let altered = match altered {
        Err(error) if has_code(&error, IN_FAILED_TRANSACTION) => connection
            .execute(AssertSqlSafe(format!(
                "ROLLBACK TO SAVEPOINT {}",
                mark.name()
            )))
            .await
            .map(|_| false),
        other => other,
    };
    match altered {
        Ok(altered) => {
            deepen(connection).await?;
            if altered {
                // Those of tests before this one may describe other rows than they now return.
                connection.clear_cached_statements().await?;
            }
            Ok(None)
        }
        Err(error) if is_dropped_copy(&error) => Ok(Some((Breach::CopyDropped, None))),
        Err(sqlx::Error::Database(_)) => ended(connection, guard.held_since()).await.map(Some),
        Err(error) => Err(error),
    }
}

/// Whether it answers to what sqlx sends for a `COPY .. FROM STDIN` that is dropped. sqlx does not know of
/// this answer, and takes every later one for the one after it.
fn is_dropped_copy(error: &sqlx::Error) -> bool {
    has_code(error, QUERY_CANCELED) && error.to_string().contains("PgCopyIn dropped")
}

/// What ended the outer transaction: a commit, as the trigger noted while the connection was in use,
/// or something else.
async fn ended(
    connection: &mut PgConnection,
    since: Instant,
) -> Result<(Breach, Option<By>), sqlx::Error> {
    // What is open now is not the outer transaction, and may be aborted.
    connection.execute("ROLLBACK").await?;
    let Some(note) = connection.fetch_optional(sqlx::query(REFUSED)).await? else {
        return Ok((Breach::Ended, None));
    };
    let (text, age): (String, f64) = (note.try_get(0)?, note.try_get(1)?);
    Ok(match text.lines().next() {
        Some(text) if age <= since.elapsed().as_secs_f64() * 1_000.0 => {
            (Breach::Commit, Some(By::Text(text.to_owned())))
        }
        _ => (Breach::Ended, None),
    })
}

/// One value of one row.
pub(crate) async fn one<T>(
    connection: &mut PgConnection,
    sql: impl sqlx::SqlSafeStr,
) -> Result<T, sqlx::Error>
where
    T: for<'r> sqlx::Decode<'r, Postgres> + sqlx::Type<Postgres>,
{
    connection.fetch_one(sqlx::query(sql)).await?.try_get(0)
}
