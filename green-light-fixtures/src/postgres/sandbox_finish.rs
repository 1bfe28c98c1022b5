//! How the outer transaction of a test ends on PostgreSQL: constraints and session are checked, it is rolled back,
//! and the next one begins.
//!
//! One message does all of that in this order; the first error says how the test ended.
//!
//! Where all that a test sent is known and harmless, and nothing of the schema is deferred, no error can say that the
//! test did wrong. Then nothing waits for the answer: sqlx reads it when the pool looks whether the connection works.
//! If the answer is an error, that look fails, and the next test has another connection.
//!
//! A test of which it is not known that it left nothing in its session (see [`traces`](super::traces)) ends by another
//! message, after which the session is not used again. It resets the sequences, and if the URL of the database was
//! given away, it looks whether others have committed something.

use std::{
    future::{Future, poll_fn},
    pin::pin,
    sync::atomic::{AtomicUsize, Ordering},
    task::Poll,
};

use sqlx::{
    AssertSqlSafe, Column as _, Executor, PgConnection, Row as _, TypeInfo as _,
    postgres::{PgColumn, PgRow},
};

use crate::driver::breach::Breach;
use crate::driver::monitor::SandboxMonitor;
use crate::driver::outcome::FinishOutcome;
use crate::postgres::admin::literal;
use crate::postgres::commit::CommitEffects;
use crate::postgres::errors::{has_code, violation};
use crate::postgres::outer_transaction::begin_of;
use crate::postgres::remarks;
use crate::postgres::traces::Suspects;
use crate::server::guard_savepoint::GuardSavepoint;

/// The statements that end a test.
#[derive(Debug)]
pub(crate) struct FinishStatements {
    /// Whether something of the schema can be deferred, so that only the end can tell.
    defers: bool,
    /// Whether the schema may leave something in a session by itself, as by a trigger.
    leaves_traces: bool,
    /// The settings of an application that the schema names, as an array of SQL.
    settings: String,
    guard_savepoint: GuardSavepoint,
    /// About how many rows are in the guard that no transaction sees.
    dead_rows: AtomicUsize,
}

/// As many rows may be in the guard that no transaction sees. Each test leaves one at least, and the end of each test looks at
/// all: at so many for a few microseconds. PostgreSQL itself removes none of them, since rows that were inserted and rolled
/// back do not make a page worth pruning, and a server that green-light started has no autovacuum.
const MOST_DEAD_ROWS: usize = 512;
/// How much room one of them takes.
const ROW: i64 = 36;
/// Removes them, and changes nothing that a transaction could see.
const REMOVE: &str = "VACUUM green_light.guard";

/// What is known of the schema, and the values of settings as `green_light.settings` returns them. Of a setting that
/// every session has, a session need not forget anything.
const SCHEMA: &str = "SELECT defers, are_implicit, suspects, \
    ARRAY(SELECT name FROM pg_catalog.unnest(settings) name \
      WHERE pg_catalog.current_setting(name, true) IS NULL), \
    immediate, watched, \
    (SELECT E'\\x1f' || pg_catalog.string_agg(coalesce(pg_catalog.current_setting(name, true), E'\\x1e'), E'\\x1f' \
      ORDER BY place) FROM pg_catalog.unnest(watched) WITH ORDINALITY watched (name, place)), \
    open_cursors, pg_catalog.pg_relation_size('green_light.guard') FROM green_light.traces";
/// The trigger of the guard fires as well, and lets pass what ends in a check with its token.
const CHECK: &str = "SET CONSTRAINTS ALL IMMEDIATE; ";
/// The server notices only a moment later that a session has ended, and until then has its locks.
const UNLOCK: &str = "SELECT pg_catalog.pg_advisory_unlock_all()";
/// Undoes what the end of a test does not look at.
const RESET: &str =
    "ROLLBACK; BEGIN READ WRITE; SELECT green_light.reset_sequences(false); ROLLBACK";
/// A row if the transaction has locks that only its end releases.
const LOCKED: &str = "SELECT 1 FROM pg_catalog.pg_locks \
    WHERE locktype = 'advisory' AND granted AND pid = pg_catalog.pg_backend_pid() LIMIT 1";
const CHANGED: &str = "SELECT green_light.changed_tables()";

impl FinishStatements {
    /// Looks at what the schema holds. Also says which functions may leave something in a session, and what ends with
    /// a transaction.
    pub(crate) async fn of(
        connection: &mut PgConnection,
        guard_savepoint: &GuardSavepoint,
        token: i64,
    ) -> Result<(Self, Suspects, CommitEffects), sqlx::Error> {
        let row = connection.fetch_one(SCHEMA).await?;
        let (suspects, settings): (Vec<String>, Vec<String>) = (row.try_get(2)?, row.try_get(3)?);
        let settings: Vec<_> = settings.iter().map(|name| literal(name)).collect();
        let finish = Self {
            defers: row.try_get(0)?,
            leaves_traces: row.try_get(1)?,
            settings: format!("ARRAY[{}]::text[]", settings.join(", ")),
            guard_savepoint: guard_savepoint.clone(),
            dead_rows: AtomicUsize::new(rows_in(row.try_get(8)?)),
        };
        let immediate: Vec<String> = row.try_get(4)?;
        let (names, values) = (row.try_get(5)?, row.try_get(6)?);
        let effects = CommitEffects::new(finish.defers, &immediate, names, values, token);
        let effects = effects.opening_cursors(row.try_get(7)?);
        let suspects = suspects.into_iter().map(Box::from).collect();
        Ok((finish, suspects, effects))
    }

    pub(crate) async fn run(
        &self,
        connection: &mut PgConnection,
        token: i64,
        monitor: &SandboxMonitor,
        (has_set, checked): (bool, usize),
    ) -> Result<FinishOutcome, sqlx::Error> {
        self.dead_rows.fetch_add(1 + checked, Ordering::Relaxed);
        let is_suspect = self.leaves_traces
            || monitor.session_dirty()
            || monitor.has_untracked_use()
            || monitor.was_url_asked_for();
        let answer = match is_suspect {
            true => self.end(connection, token, monitor).await,
            false => self.end_and_begin(connection, token, has_set).await,
        };
        let Err(error) = answer else {
            return answer;
        };
        let Some(refusal) = error.as_database_error() else {
            return Err(error);
        };
        if has_code(&error, "GL001") {
            return Ok(FinishOutcome::Worn);
        }
        if has_code(&error, "GL002") {
            monitor.ended(Breach::Ended);
            return Ok(FinishOutcome::Lost);
        }
        if has_code(&error, "GL003") {
            return Ok(FinishOutcome::Changed);
        }
        if refusal.code().is_some_and(|code| code.starts_with("23")) {
            return Ok(FinishOutcome::Violated(vec![violation(
                refusal.downcast_ref(),
            )]));
        }
        Err(error)
    }

    /// Ends the outer transaction and begins the one of the next test. `has_set`: whether settings had to be put back.
    async fn end_and_begin(
        &self,
        connection: &mut PgConnection,
        token: i64,
        has_set: bool,
    ) -> Result<FinishOutcome, sqlx::Error> {
        let check = if self.defers { CHECK } else { "" };
        let end = format!(
            "{check}SELECT green_light.check_session({token}, {}); ROLLBACK",
            self.settings,
        );
        let begin = format!("{}; {}", begin_of(token), self.guard_savepoint.set);
        if self.is_full() {
            connection.execute(AssertSqlSafe(end)).await?;
            self.remove_dead_rows(connection).await?;
            connection.execute(AssertSqlSafe(begin)).await?;
            return Ok(FinishOutcome::Clean);
        }
        let text = format!("{end}; {begin}");
        let sending = connection.execute(AssertSqlSafe(text));
        match self.defers || has_set {
            true => sending.await.map(drop)?,
            false => send(sending).await.transpose().map(drop)?,
        }
        Ok(FinishOutcome::Clean)
    }

    fn is_full(&self) -> bool {
        self.dead_rows.load(Ordering::Relaxed) >= MOST_DEAD_ROWS
    }

    /// Empties the guard, outside of transactions.
    async fn remove_dead_rows(&self, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
        self.dead_rows.store(0, Ordering::Relaxed);
        match connection.execute(REMOVE).await {
            // They stay until the next time, as for a role that does not own the guard.
            Ok(_) | Err(sqlx::Error::Database(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Ends the outer transaction of a test after which the session is not used again.
    async fn end(
        &self,
        connection: &mut PgConnection,
        token: i64,
        monitor: &SandboxMonitor,
    ) -> Result<FinishOutcome, sqlx::Error> {
        // It may have made what can be deferred.
        let was_url_asked_for = monitor.was_url_asked_for();
        let unlock = match was_url_asked_for {
            true => format!("{UNLOCK}; {LOCKED}"),
            false => UNLOCK.to_owned(),
        };
        let text = format!("{CHECK}SELECT green_light.check_guard({token}); {unlock}; {RESET}");
        let rows = connection.fetch_all(AssertSqlSafe(text)).await?;
        let is_number = |row: &PgRow| row.columns().first().is_some_and(is_int4);
        if rows.iter().any(is_number) {
            monitor.remark(remarks::LOCKED.to_owned());
        }
        if self.is_full() {
            self.remove_dead_rows(connection).await?;
        }
        if was_url_asked_for {
            let row = connection.fetch_one(CHANGED).await?;
            if let Some(tables) = row.try_get(0)? {
                monitor.committed_elsewhere(tables);
                return Ok(FinishOutcome::Changed);
            }
        }
        Ok(FinishOutcome::Worn)
    }
}

/// How many rows may be in `bytes` of the guard.
fn rows_in(bytes: i64) -> usize {
    usize::try_from(bytes / ROW).unwrap_or(0)
}

/// Polls `sending` once, which sends. sqlx reads the answer before it sends anything else. `None` if the answer has not
/// come yet.
async fn send<T>(sending: impl Future<Output = T>) -> Option<T> {
    let mut sending = pin!(sending);
    poll_fn(|context| {
        Poll::Ready(match sending.as_mut().poll(context) {
            Poll::Ready(answer) => Some(answer),
            Poll::Pending => None,
        })
    })
    .await
}

/// Whether a column is that of `LOCKED`: nothing else at the end of a test answers with a number.
fn is_int4(column: &PgColumn) -> bool {
    column.type_info().name() == "INT4"
}
