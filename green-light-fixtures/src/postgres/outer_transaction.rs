//! The outer transaction of a test on PostgreSQL, and the savepoint that guards it.

use std::{
    hash::{BuildHasher as _, RandomState},
    time::Instant,
};

use sqlx::{
    AssertSqlSafe, Column as _, Connection as _, Executor, PgConnection, Postgres, Row as _,
    TypeInfo as _, postgres::PgRow,
};
use sqlx_core::{sql_str::SqlSafeStr as _, transaction::TransactionManager};

use crate::driver::breach::{Breach, BreachCause};
use crate::driver::monitor::SandboxMonitor;
use crate::driver::sandbox::depth;
use crate::postgres::commit::{Answer, CommitEffects};
use crate::postgres::errors::{has_code, violation};
use crate::postgres::lost_rows::Loss;
use crate::postgres::remarks;
use crate::server::guard_savepoint::{BASE_DEPTH, GuardSavepoint, discard_pending, raise_depth};

type Manager = <Postgres as sqlx::Database>::TransactionManager;

/// Begins the outer transaction: the one that may write, and that no commit can end. It is known by its `token`.
pub(crate) fn begin_of(token: i64) -> String {
    format!("BEGIN READ WRITE; INSERT INTO green_light.guard VALUES ({token})")
}

/// A number for the outer transactions of one slot, which no text of a test knows.
pub(crate) fn new_token() -> i64 {
    let random = RandomState::new().hash_one(std::process::id());
    i64::from_ne_bytes(random.to_ne_bytes())
}

/// What the trigger noted when it refused to commit, and how many milliseconds ago.
const REFUSED: &str = "SELECT pg_catalog.substr(statement, 35), \
    (extract(epoch FROM pg_catalog.clock_timestamp() - prepare_time) * 1000)::float8 \
    FROM pg_catalog.pg_prepared_statements WHERE name = 'green_light_refused'";

/// Errors of a check that names what is not there, or what it may not see.
const NOT_CHECKABLE: [&str; 4] = ["42704", "42809", "42501", "3F000"];
const IN_FAILED_TRANSACTION: &str = "25P02";
const QUERY_CANCELED: &str = "57014";
const NO_SUCH_SAVEPOINT: &str = "3B001";

/// Opens the outer transaction and sets the guard savepoint.
pub(crate) async fn begin(
    connection: &mut PgConnection,
    guard_savepoint: &GuardSavepoint,
    token: i64,
) -> Result<(), sqlx::Error> {
    let begin = AssertSqlSafe(begin_of(token)).into_sql_str();
    Manager::begin(connection, Some(begin)).await?;
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
    effects: Option<&CommitEffects>,
) -> Result<Option<(Breach, Option<BreachCause>)>, sqlx::Error> {
    discard_pending(connection).await?;
    match depth::<Postgres>(connection) {
        0 => return ended(connection, monitor.held_since()).await.map(Some),
        BASE_DEPTH.. if depth::<Postgres>(connection) > BASE_DEPTH => {
            return Ok(Some((Breach::Unbalanced, None)));
        }
        _ => {}
    }
    let mut renewed = renew_savepoint(connection, guard_savepoint, monitor, effects).await;
    if let Err(error) = &renewed
        && let Some(outcome) =
            check_failed(connection, guard_savepoint, monitor, effects, error).await?
    {
        renewed = outcome;
    }
    let has_failed = matches!(&renewed, Err(error) if has_code(error, IN_FAILED_TRANSACTION));
    if has_failed {
        renewed = match after_failure(connection, guard_savepoint, monitor, effects).await {
            Ok(AfterFailure::Renewed(renewed)) => renewed,
            Ok(AfterFailure::Refused(text)) => {
                return Ok(Some((Breach::Commit, Some(BreachCause::Text(text)))));
            }
            Err(error) => Err(error),
        };
    }
    match renewed {
        Ok(renewed) => {
            raise_depth::<Postgres>(connection).await?;
            if renewed.has_altered {
                // Those of tests before this one may describe other rows than they now return.
                connection.clear_cached_statements().await?;
            }
            if let Some(effects) = effects.filter(|_| !renewed.is_noted) {
                let executions = renewed.executions.as_deref();
                effects.note_use(connection, executions.filter(|_| !renewed.has_altered));
            }
            Ok(None)
        }
        Err(error) if is_dropped_copy(&error) => Ok(Some((Breach::CopyDropped, None))),
        Err(sqlx::Error::Database(_)) => ended(connection, monitor.held_since()).await.map(Some),
        Err(error) => Err(error),
    }
}

/// What is known of a use of the connection that is over.
#[derive(Debug, Default)]
struct Renewed {
    /// Whether columns were changed.
    has_altered: bool,
    /// How often each prepared statement has been run, if that was asked.
    executions: Option<String>,
    /// Whether it is noted already what has been prepared and run.
    is_noted: bool,
}

/// What follows from an error in a use of the connection.
enum AfterFailure {
    Renewed(Result<Renewed, sqlx::Error>),
    /// It was a commit, as this text, which was refused.
    Refused(String),
}

/// An error has aborted the transaction: undoes what ran since the connection was taken. If the application itself has
/// rolled back a transaction on it, what ran before that stays.
async fn after_failure(
    connection: &mut PgConnection,
    guard_savepoint: &GuardSavepoint,
    monitor: &SandboxMonitor,
    effects: Option<&CommitEffects>,
) -> Result<AfterFailure, sqlx::Error> {
    // What SeaORM sends outside of transactions is one statement.
    let unseen = effects.filter(|_| !monitor.current_use().is_seen);
    let mut notes = None;
    if unseen.is_some() {
        // sqlx goes back to this savepoint when a transaction is rolled back, and does not release it.
        let back = format!("ROLLBACK TO SAVEPOINT _sqlx_savepoint_{BASE_DEPTH}; {REFUSED}");
        match connection.fetch_all(AssertSqlSafe(back)).await {
            Ok(found) => notes = Some(found),
            Err(error) if has_code(&error, NO_SUCH_SAVEPOINT) => {}
            Err(error) => return Err(error),
        }
    }
    let stays = notes.is_some();
    let notes = match notes {
        Some(notes) => notes,
        None => {
            let back = format!(
                "ROLLBACK TO SAVEPOINT {}; {REFUSED}",
                guard_savepoint.name()
            );
            connection.fetch_all(AssertSqlSafe(back)).await?
        }
    };
    // A commit in the same text as what was refused would have ended the outer transaction.
    if let Some(text) = refused_since(notes.first(), monitor.held_since())? {
        return Ok(AfterFailure::Refused(text));
    }
    let Some(effects) = unseen else {
        return Ok(AfterFailure::Renewed(Ok(Renewed::default())));
    };
    match effects.loss(connection, monitor, guard_savepoint).await? {
        Some(Loss::Likely(statement)) if !stays => {
            monitor.lost_rows(remarks::may_be_lost(&statement));
        }
        Some(Loss::LikelyTexts) if !stays => monitor.lost_rows(remarks::texts_may_be_lost(true)),
        Some(Loss::Likely(statement) | Loss::Possible(statement)) => {
            monitor.remark(remarks::may_be_lost(&statement));
        }
        Some(Loss::LikelyTexts | Loss::PossibleTexts) => {
            monitor.remark(remarks::texts_may_be_lost(false));
        }
        None => {}
    }
    let renewed = match stays {
        true => renew_savepoint(connection, guard_savepoint, monitor, Some(effects)).await,
        false => Ok(Renewed {
            is_noted: true,
            ..Renewed::default()
        }),
    };
    Ok(AfterFailure::Renewed(renewed))
}

/// Ends the use of the connection as a commit would, and sets the guard savepoint again.
async fn renew_savepoint(
    connection: &mut PgConnection,
    guard_savepoint: &GuardSavepoint,
    monitor: &SandboxMonitor,
    effects: Option<&CommitEffects>,
) -> Result<Renewed, sqlx::Error> {
    let this_use = monitor.current_use();
    let defined = monitor.defined();
    let question = effects.and_then(|effects| effects.question(&this_use, defined.is_some()));
    let mut text = String::new();
    if let Some(check) = effects.and_then(CommitEffects::check) {
        if let Some(effects) = effects {
            effects.note_check();
        }
        let savepoint = check_savepoint(guard_savepoint);
        text.push_str(&format!(
            "SAVEPOINT {savepoint}; {check}; RELEASE SAVEPOINT {savepoint}; "
        ));
    }
    text.push_str(&guard_savepoint.renew);
    if let Some(question) = &question {
        text.push_str("; ");
        text.push_str(question);
    }
    let sent = Instant::now();
    let rows = connection.fetch_all(AssertSqlSafe(text)).await?;
    monitor.note_answer(sent.elapsed());
    // What the check returns has no columns of text.
    let answer = rows.iter().find(|row| !is_void(row));
    let answer = match answer.filter(|_| question.is_some()) {
        Some(row) => Answer::read(row)?,
        None => Answer::default(),
    };
    if question.is_some()
        && let Some(effects) = effects
    {
        let put_back = effects.put_back(connection, &answer, this_use, monitor);
        match put_back.await {
            Err(sqlx::Error::Database(_)) => {
                let back = format!("ROLLBACK TO SAVEPOINT {}", guard_savepoint.name());
                connection.execute(AssertSqlSafe(back)).await?;
            }
            other => other?,
        }
    }
    Ok(Renewed {
        has_altered: defined.or(answer.has_altered).unwrap_or(false),
        executions: answer.executions,
        is_noted: false,
    })
}

/// Whether a row is the answer of a function that returns nothing.
fn is_void(row: &PgRow) -> bool {
    row.columns()
        .first()
        .is_some_and(|column| column.type_info().name().eq_ignore_ascii_case("void"))
}

/// The savepoint around what runs deferred constraints.
fn check_savepoint(guard_savepoint: &GuardSavepoint) -> String {
    format!("{}_check", guard_savepoint.name())
}

/// What follows from an error of what was deferred; `None` if it was none.
async fn check_failed(
    connection: &mut PgConnection,
    guard_savepoint: &GuardSavepoint,
    monitor: &SandboxMonitor,
    effects: Option<&CommitEffects>,
    error: &sqlx::Error,
) -> Result<Option<Result<Renewed, sqlx::Error>>, sqlx::Error> {
    let Some(effects) = effects.filter(|effects| effects.check().is_some()) else {
        return Ok(None);
    };
    let Some(refusal) = error.as_database_error() else {
        return Ok(None);
    };
    if has_code(error, IN_FAILED_TRANSACTION) || is_dropped_copy(error) {
        return Ok(None);
    }
    // It is there only if it was the check that failed.
    let back = format!("ROLLBACK TO SAVEPOINT {}", check_savepoint(guard_savepoint));
    if connection.execute(AssertSqlSafe(back)).await.is_err() {
        return Ok(None);
    }
    if NOT_CHECKABLE.iter().any(|code| has_code(error, code)) {
        effects.check_no_more();
        let renewed = renew_savepoint(connection, guard_savepoint, monitor, Some(effects));
        return Ok(Some(renewed.await));
    }
    let back = format!("ROLLBACK TO SAVEPOINT {}", guard_savepoint.name());
    if let Err(error) = connection.execute(AssertSqlSafe(back)).await {
        return Ok(Some(Err(error)));
    }
    monitor.note_violation(violation(refusal.downcast_ref()));
    Ok(Some(Ok(Renewed::default())))
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
    let note = connection.fetch_optional(sqlx::query(REFUSED)).await?;
    Ok(match refused_since(note.as_ref(), since)? {
        Some(text) => (Breach::Commit, Some(BreachCause::Text(text))),
        None => (Breach::Ended, None),
    })
}

/// The text that asked for a commit after `since`, as the trigger noted.
fn refused_since(note: Option<&PgRow>, since: Instant) -> Result<Option<String>, sqlx::Error> {
    let Some(note) = note else {
        return Ok(None);
    };
    let (text, age): (String, f64) = (note.try_get(0)?, note.try_get(1)?);
    let is_recent = age <= since.elapsed().as_secs_f64() * 1_000.0;
    let text = text.lines().next().filter(|_| is_recent);
    Ok(text.map(str::to_owned))
}
