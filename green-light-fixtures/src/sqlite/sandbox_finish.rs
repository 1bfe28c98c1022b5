//! Ends the outer transaction of a test on SQLite: checks the connection, rolls back, begins the next transaction.

use std::sync::Arc;

use sqlx::{
    AssertSqlSafe, Executor, Row,
    sqlite::{SqliteConnection, SqlitePool},
};

use crate::driver::outcome::FinishOutcome;
use crate::sqlite::outer_transaction::BEGIN;

/// Settings of a connection that a rollback does not undo, or that decide whether foreign keys are deferred. Each costs
/// every test a few microseconds, so settings that matter at a prompt only are left out.
const FLAGS: [&str; 5] = [
    "schema_version",
    "defer_foreign_keys",
    "query_only",
    "ignore_check_constraints",
    "recursive_triggers",
];
/// Extended result codes of SQLite.
const REFUSED_BY_COMMIT_HOOK: &str = "531";
const FOREIGN_KEY: &str = "787";

/// The statements that end a test on one connection.
#[derive(Debug)]
pub(crate) struct FinishStatements {
    /// Fails, and stops there, if the connection has changed; else rolls back and begins.
    restart: Arc<str>,
    /// Fails if the connection has changed, with another code than the commit that comes next.
    commit: Arc<str>,
    /// Whether a table defers a foreign key, so that only a commit can tell.
    defers: bool,
}

impl FinishStatements {
    /// Reads the state of a fresh connection, which every later test must leave as it is.
    pub(crate) async fn of(pool: &SqlitePool) -> Result<Self, sqlx::Error> {
        let mut connection = pool.try_acquire().ok_or(sqlx::Error::PoolTimedOut)?;
        let mut changed = String::from(
            "NOT 'a' LIKE 'A' OR EXISTS (SELECT 1 FROM pragma_database_list WHERE seq > 1)",
        );
        for flag in FLAGS {
            let value = AssertSqlSafe(format!("PRAGMA {flag}"));
            let value: i64 = connection.fetch_one(value).await?.try_get(0)?;
            changed.push_str(&format!(
                " OR (SELECT {flag} FROM pragma_{flag}) <> {value}"
            ));
        }
        let defers = "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE sql LIKE '%deferr%')";
        let defers = connection.fetch_one(defers).await?.try_get(0)?;
        connection.return_to_pool().await;
        // The absolute value of the smallest integer is an error: SQL has no other way to stop.
        let look = format!("SELECT abs(-9223372036854775807 - 1) WHERE {changed}");
        Ok(Self {
            restart: format!("{look}; ROLLBACK; {BEGIN}").into(),
            commit: format!("{look}; COMMIT").into(),
            defers,
        })
    }

    /// Ends the outer transaction, in one message to SQLite's thread if nothing was deferred.
    pub(crate) async fn run(
        &self,
        connection: &mut SqliteConnection,
    ) -> Result<FinishOutcome, sqlx::Error> {
        if !self.defers && run(connection, &self.restart).await.is_ok() {
            return Ok(FinishOutcome::Clean);
        }
        let mut refusal = if self.defers {
            run(connection, &self.commit).await.err()
        } else {
            None
        };
        let is_unchanged = refusal.as_ref().is_some_and(is_known);
        if !is_unchanged {
            refusal = connection.execute("COMMIT").await.err();
        }
        match refusal {
            Some(error) if has_code(&error, REFUSED_BY_COMMIT_HOOK) && is_unchanged => {
                sqlx::query(BEGIN).execute(connection).await?;
                Ok(FinishOutcome::Clean)
            }
            Some(error) if has_code(&error, REFUSED_BY_COMMIT_HOOK) => Ok(FinishOutcome::Changed),
            Some(error) if has_code(&error, FOREIGN_KEY) => {
                let rows = violations(connection).await;
                connection.execute("ROLLBACK").await?;
                Ok(FinishOutcome::Violated(rows?))
            }
            Some(error) => Err(error),
            // The commit hook was removed, and the rows are in the slot's database.
            None => Ok(FinishOutcome::Changed),
        }
    }
}

/// Runs a text of several statements, kept prepared.
async fn run(connection: &mut SqliteConnection, sql: &Arc<str>) -> Result<(), sqlx::Error> {
    sqlx::query(AssertSqlSafe(Arc::clone(sql)))
        .execute(connection)
        .await
        .map(drop)
}

async fn violations(connection: &mut SqliteConnection) -> Result<Vec<String>, sqlx::Error> {
    let rows = connection
        .fetch_all("SELECT \"table\", rowid, parent FROM pragma_foreign_key_check LIMIT 10")
        .await?;
    rows.iter()
        .map(|row| {
            let (table, parent): (String, String) = (row.try_get(0)?, row.try_get(2)?);
            let row = row
                .try_get::<Option<i64>, _>(1)?
                .map_or_else(String::new, |id| format!(" row {id}"));
            Ok(format!(
                "`{table}`{row} refers to a row of `{parent}` that does not exist"
            ))
        })
        .collect()
}

fn is_known(error: &sqlx::Error) -> bool {
    has_code(error, REFUSED_BY_COMMIT_HOOK) || has_code(error, FOREIGN_KEY)
}

fn has_code(error: &sqlx::Error, code: &str) -> bool {
    error
        .as_database_error()
        .and_then(|error| error.code())
        .is_some_and(|found| found == code)
}
