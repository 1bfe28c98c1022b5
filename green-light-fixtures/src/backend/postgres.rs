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
//! * A deferred constraint trigger refuses to commit (see [`GUARD`]), and leaves a note of the text that
//!   asked for it: a prepared statement, which no rollback takes away.
//! * Transactions of the session are read-only unless they say otherwise, as only the outer one does.
//!   So what follows a `ROLLBACK` as text cannot write.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use sqlx::{
    AssertSqlSafe, ConnectOptions as _, Connection as _, Executor, PgConnection, PgPool, Row as _,
    postgres::PgConnectOptions,
};
use sqlx_core::{sql_str::SqlSafeStr as _, transaction::TransactionManager};

use super::{
    Pool,
    kept::{self, BASE_DEPTH, Mark, drain, has_code},
    postgres_ending::Ending,
    restart::{self, Known},
};
use crate::{
    error::{Error, Kind},
    sandbox::{Breach, Broken, By, Guard, Verdict},
    upkeep::{Silence, answered},
};

type Manager = <sqlx::Postgres as sqlx::Database>::TransactionManager;

/// Begins the outer transaction: the one that may write, and that no commit can end.
pub(super) const BEGIN: &str = "BEGIN READ WRITE; INSERT INTO green_light.guard VALUES (1)";
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

/// What every database of a sandbox holds besides its schema.
///
/// Whoever else connects to it, as code that opens a pool of its own does, may only read: what it
/// wrote would be there for the next test.
///
/// The trigger fires when a transaction with a row in `guard` commits, and refuses. It also fires
/// when a test says `SET CONSTRAINTS ALL IMMEDIATE`: then it arms itself again, unless more text
/// follows, which could be a commit.
///
/// At the end of a test its session gives back its advisory locks and forgets what the test prepared by
/// `PREPARE`, which no rollback takes away; sqlx's own statements stay. It is thrown away if the test
/// changed columns (1249 is `pg_attribute`) or types (1247, `pg_type`), rolled back or not: statements
/// that sqlx has prepared would describe other rows than they return.
///
/// Sequences go on counting whatever is rolled back. Before another process gets the database they are
/// put back to where the template has them.
pub(crate) const GUARD: &str = r"
CREATE SCHEMA green_light;
GRANT USAGE ON SCHEMA green_light TO PUBLIC;
CREATE TABLE green_light.guard (armed int);
CREATE FUNCTION green_light.refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF pg_catalog.current_setting('green_light.ending', true) = 'on' THEN
    RETURN NULL;
  END IF;
  IF pg_catalog.current_query() ~* '^\s*SET\s+CONSTRAINTS\s[^;]*;?\s*$' THEN
    SET CONSTRAINTS green_light.refuse DEFERRED;
    INSERT INTO green_light.guard VALUES (1);
    RETURN NULL;
  END IF;
  IF EXISTS (SELECT FROM pg_catalog.pg_prepared_statements WHERE name = 'green_light_refused') THEN
    DEALLOCATE green_light_refused;
  END IF;
  EXECUTE 'PREPARE green_light_refused AS -- '
    || pg_catalog.regexp_replace(pg_catalog.left(pg_catalog.current_query(), 400), '\s+', ' ', 'g')
    || E'\nSELECT 1';
  RAISE EXCEPTION 'green-light: this transaction isolates a test and is never committed'
    USING ERRCODE = '25000', HINT = 'commit a transaction made by `begin()`; do not send `COMMIT` as text';
END $$;
CREATE CONSTRAINT TRIGGER refuse AFTER INSERT ON green_light.guard
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE PROCEDURE green_light.refuse();
CREATE FUNCTION green_light.look() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  unlocked text := pg_catalog.pg_advisory_unlock_all()::text;
  prepared text;
BEGIN
  FOR prepared IN SELECT name FROM pg_catalog.pg_prepared_statements WHERE from_sql LOOP
    EXECUTE pg_catalog.format('DEALLOCATE %I', prepared);
  END LOOP;
  IF pg_catalog.pg_stat_get_xact_tuples_inserted(1249) > 0
    OR pg_catalog.pg_stat_get_xact_tuples_updated(1249) > 0
    OR pg_catalog.pg_stat_get_xact_tuples_deleted(1249) > 0
    OR pg_catalog.pg_stat_get_xact_tuples_inserted(1247) > 0
  THEN
    RAISE EXCEPTION 'green-light: the session has changed' USING ERRCODE = 'GL001';
  END IF;
END $$;
CREATE TABLE green_light.sequence (id oid, last bigint, called boolean);
DO $$
DECLARE
  each record;
BEGIN
  FOR each IN SELECT c.oid, nspname, relname
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = relnamespace WHERE relkind = 'S'
  LOOP
    BEGIN
      EXECUTE pg_catalog.format('INSERT INTO green_light.sequence SELECT %s, last_value, is_called FROM %I.%I',
        each.oid, each.nspname, each.relname);
    EXCEPTION WHEN insufficient_privilege THEN
      INSERT INTO green_light.sequence VALUES (each.oid, NULL, NULL);
    END;
  END LOOP;
END $$;
CREATE FUNCTION green_light.rewind() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  each record;
  moved boolean;
BEGIN
  FOR each IN SELECT id, last, called, nspname, relname FROM green_light.sequence
    LEFT JOIN pg_catalog.pg_class c ON c.oid = id LEFT JOIN pg_catalog.pg_namespace n ON n.oid = relnamespace
  LOOP
    IF each.last IS NULL OR each.relname IS NULL THEN
      RAISE EXCEPTION 'green-light: a sequence cannot be put back';
    END IF;
    EXECUTE pg_catalog.format('SELECT last_value <> $1 OR is_called <> $2 FROM %I.%I', each.nspname, each.relname)
      INTO STRICT moved USING each.last, each.called;
    IF moved THEN
      PERFORM pg_catalog.setval(each.id::pg_catalog.regclass, each.last, each.called);
    END IF;
  END LOOP;
END $$;
DO $$ BEGIN
  EXECUTE pg_catalog.format(
    'ALTER DATABASE %I SET default_transaction_read_only = on', pg_catalog.current_database());
END $$;
";

/// Opens a guarded pool of one connection on a database that holds [`GUARD`].
pub(crate) async fn open(
    options: &PgConnectOptions,
    guard: &Arc<Guard>,
    wait: Duration,
) -> Result<Pool, Error> {
    let (connecting, acquiring, releasing) =
        (Arc::clone(guard), Arc::clone(guard), Arc::clone(guard));
    let mark = Mark::new();
    let ending = Known::<Ending>::default();
    let ends = Arc::clone(&ending);
    let (setting, renewing) = (mark.clone(), mark.clone());
    let pool = kept::options(wait)
        .after_connect(move |connection, _| {
            let (guard, mark) = (Arc::clone(&connecting), setting.clone());
            Box::pin(async move {
                // An error here would make the pool try again until the wait is over; it is
                // remembered instead, and the slot is not used.
                let failure = prepare(connection, &mark).await.err();
                guard.connected(failure.map(|error| error.to_string()));
                Ok(())
            })
        })
        .before_acquire(move |connection, _| {
            let verdict = acquiring.check_out(depth(connection), BASE_DEPTH);
            Box::pin(async move { Ok(verdict == Verdict::Ready) })
        })
        .after_release(move |connection, _| {
            let (guard, mark) = (Arc::clone(&releasing), renewing.clone());
            let ends = Arc::clone(&ends);
            Box::pin(async move {
                if guard.finish().was_put_back() {
                    return Ok(true);
                }
                let renewed = renew(connection, &mark, &guard).await;
                match &renewed {
                    Ok(Some((breach, by))) => guard.ended_by(*breach, by.clone()),
                    Ok(None) => {}
                    Err(error) => guard.broken(Broken::Error(error.to_string())),
                }
                guard.released();
                match renewed? {
                    None => Ok(restart::released(connection, &guard, &ends).await),
                    Some(_) => Ok(false),
                }
            })
        })
        .connect_with(slot_options(options, wait))
        .await
        .map_err(cannot_open)?;
    if let Some(failure) = guard.failure() {
        return Err(Error::new(
            Kind::Connection,
            "the transaction of a test could not be begun on PostgreSQL",
        )
        .help("look at the cause; the schema must leave the schema `green_light` alone")
        .because(failure));
    }
    let looking = Ending::of(&pool, &mark);
    let known = answered::<PgConnection, _>(options, "what a session is like", looking);
    let known = known.await.map_err(cannot_open)?;
    ending.get_or_init(|| known);
    Ok(Pool::Postgres { pool, ending, mark })
}

fn slot_options(options: &PgConnectOptions, wait: Duration) -> PgConnectOptions {
    options.clone().options([
        ("default_transaction_read_only", "on"),
        ("idle_in_transaction_session_timeout", "0"),
        ("lock_timeout", &format!("{}ms", wait.as_millis())),
    ])
}

pub(crate) fn cannot_open(error: sqlx::Error) -> Error {
    let (fact, help) = match error {
        sqlx::Error::PoolTimedOut => (
            "PostgreSQL did not answer in time, while a connection for a test was being made",
            "look whether its server is stopped, overloaded or out of connections; \
             `Engine::builder().connection_timeout(..)` makes it wait longer",
        ),
        _ if Silence::of(&error).is_some() => ("PostgreSQL does not answer", Silence::HELP),
        _ => (
            "PostgreSQL could not be reached",
            "look at `GREEN_LIGHT_POSTGRES_URL`, and whether its server runs",
        ),
    };
    Error::new(Kind::Connection, fact).help(help).because(error)
}

fn depth(connection: &PgConnection) -> usize {
    Manager::get_transaction_depth(connection)
}

/// Opens the outer transaction and sets the guard savepoint.
async fn prepare(connection: &mut PgConnection, mark: &Mark) -> Result<(), sqlx::Error> {
    Manager::begin(connection, Some(BEGIN.into_sql_str())).await?;
    connection.execute(AssertSqlSafe(&*mark.set)).await?;
    deepen(connection).await
}

/// Makes sqlx count up to the base, above a transaction that is open.
async fn deepen(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
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

/// Sets the guard savepoint for the next use, or says what happened to the outer transaction.
async fn renew(
    connection: &mut PgConnection,
    mark: &Mark,
    guard: &Guard,
) -> Result<Option<(Breach, Option<By>)>, sqlx::Error> {
    drain(connection).await?;
    match depth(connection) {
        0 => return ended(connection, guard.held_since()).await.map(Some),
        BASE_DEPTH.. if depth(connection) > BASE_DEPTH => {
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
            .execute(AssertSqlSafe(&*mark.back))
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

/// Ends every other connection to the slot's own database, which is not used again.
pub(super) async fn cut(pool: &PgPool) -> Result<(), sqlx::Error> {
    let mut connection = pool.connect_options().connect().await?;
    let sql = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
               WHERE datname = current_database() AND pid <> pg_backend_pid() \
               AND usename = current_user";
    connection.execute(sql).await?;
    connection.close().await
}

/// One value of one row.
pub(crate) async fn one<T>(
    connection: &mut PgConnection,
    sql: impl sqlx::SqlSafeStr,
) -> Result<T, sqlx::Error>
where
    T: for<'r> sqlx::Decode<'r, sqlx::Postgres> + sqlx::Type<sqlx::Postgres>,
{
    connection.fetch_one(sqlx::query(sql)).await?.try_get(0)
}
