//! The outer transaction of a test on PostgreSQL, and the savepoint that guards it.

use std::time::Instant;

use sqlx::{AssertSqlSafe, Connection as _, Executor, PgConnection, Postgres, Row as _};
use sqlx_core::{sql_str::SqlSafeStr as _, transaction::TransactionManager};

use crate::driver::breach::{Breach, BreachCause};
use crate::driver::monitor::SandboxMonitor;
use crate::driver::sandbox::depth;
use crate::postgres::errors::has_code;
use crate::server::guard_savepoint::{BASE_DEPTH, GuardSavepoint, discard_pending, raise_depth};

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

/// Opens the outer transaction and sets the guard savepoint.
pub(crate) async fn begin(
    connection: &mut PgConnection,
    guard_savepoint: &GuardSavepoint,
) -> Result<(), sqlx::Error> {
    Manager::begin(connection, Some(BEGIN.into_sql_str())).await?;
    connection
        .execute(AssertSqlSafe(&*guard_savepoint.set))
        .await?;
    raise_depth::<Postgres>(connection).await
}

/// Sets the guard savepoint for the next use, or says what happened to the outer transaction.
pub(crate) async fn renew(
    connection: &mut PgConnection,
    guard_savepoint: &GuardSavepoint,
    monitor: &SandboxMonitor,
) -> Result<Option<(Breach, Option<BreachCause>)>, sqlx::Error> {
    discard_pending(connection).await?;
    match depth::<Postgres>(connection) {
        0 => return ended(connection, monitor.held_since()).await.map(Some),
        BASE_DEPTH.. if depth::<Postgres>(connection) > BASE_DEPTH => {
            return Ok(Some((Breach::Unbalanced, None)));
        }
        _ => {}
    }
    let altered = match monitor.defined() {
        Some(defined) => connection
            .execute(AssertSqlSafe(&*guard_savepoint.renew))
            .await
            .map(|_| defined),
        // What was sent is known to the server alone.
        None => {
            let text = format!("{}; {ALTERED}", guard_savepoint.renew);
            let rows = connection.fetch_all(AssertSqlSafe(text)).await;
            rows.map(|rows| !rows.is_empty())
        }
    };
    let altered = match altered {
        Err(error) if has_code(&error, IN_FAILED_TRANSACTION) => connection
            .execute(AssertSqlSafe(format!(
                "ROLLBACK TO SAVEPOINT {}",
                guard_savepoint.name()
            )))
            .await
            .map(|_| false),
        other => other,
    };
    match altered {
        Ok(altered) => {
            raise_depth::<Postgres>(connection).await?;
            if altered {
                // Those of tests before this one may describe other rows than they now return.
                connection.clear_cached_statements().await?;
            }
            Ok(None)
        }
        Err(error) if is_dropped_copy(&error) => Ok(Some((Breach::CopyDropped, None))),
        Err(sqlx::Error::Database(_)) => ended(connection, monitor.held_since()).await.map(Some),
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
) -> Result<(Breach, Option<BreachCause>), sqlx::Error> {
    // What is open now is not the outer transaction, and may be aborted.
    connection.execute("ROLLBACK").await?;
    let Some(note) = connection.fetch_optional(sqlx::query(REFUSED)).await? else {
        return Ok((Breach::Ended, None));
    };
    let (text, age): (String, f64) = (note.try_get(0)?, note.try_get(1)?);
    Ok(match text.lines().next() {
        Some(text) if age <= since.elapsed().as_secs_f64() * 1_000.0 => {
            (Breach::Commit, Some(BreachCause::Text(text.to_owned())))
        }
        _ => (Breach::Ended, None),
    })
}
