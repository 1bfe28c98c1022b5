//! How the outer transaction of a test ends on PostgreSQL: constraints and session are checked, it is rolled back,
//! and the next one begins.
//!
//! One message does all of that in this order; the first error says how the test ended. Where the schema defers
//! nothing, the only error is that the session has changed; then the test does not wait for the answer. The pool
//! reads it when it checks the connection, and replaces the connection after an error.

use std::{
    future::{Future, poll_fn},
    pin::pin,
    task::Poll,
};

use sqlx::{AssertSqlSafe, Executor, PgConnection, PgPool, Row as _, postgres::PgDatabaseError};

use crate::driver::outcome::FinishOutcome;
use crate::postgres::errors::has_code;
use crate::postgres::outer_transaction::BEGIN;
use crate::server::guard_savepoint::GuardSavepoint;

/// The statements that end a test.
#[derive(Debug)]
pub(crate) struct FinishStatements {
    text: String,
    /// Whether something of the schema can be deferred.
    defers: bool,
}

/// Whether something of the schema can be deferred, so that only the end can tell.
const DEFERS: &str = "SELECT EXISTS (SELECT FROM pg_catalog.pg_trigger WHERE tgdeferrable \
                      AND tgrelid <> 'green_light.guard'::pg_catalog.regclass) \
                      OR EXISTS (SELECT FROM pg_catalog.pg_constraint WHERE condeferrable)";
const CHECK: &str = "SET LOCAL green_light.ending = 'on'; SET CONSTRAINTS ALL IMMEDIATE; ";

impl FinishStatements {
    /// Looks at what the schema holds.
    pub(crate) async fn of(
        pool: &PgPool,
        guard_savepoint: &GuardSavepoint,
    ) -> Result<Self, sqlx::Error> {
        let mut connection = pool.try_acquire().ok_or(sqlx::Error::PoolTimedOut)?;
        let row = connection.fetch_one(DEFERS).await?;
        let defers: bool = row.try_get(0)?;
        connection.return_to_pool().await;
        let check = if defers { CHECK } else { "" };
        Ok(Self {
            text: format!(
                "{check}SELECT green_light.check_session(); ROLLBACK; {BEGIN}; {}",
                guard_savepoint.set
            ),
            defers,
        })
    }

    pub(crate) async fn run(
        &self,
        connection: &mut PgConnection,
    ) -> Result<FinishOutcome, sqlx::Error> {
        let sending = connection.execute(AssertSqlSafe(self.text.as_str()));
        let answer = if self.defers {
            Some(sending.await)
        } else {
            send(sending).await
        };
        let Some(Err(error)) = answer else {
            return Ok(FinishOutcome::Clean);
        };
        let Some(refusal) = error.as_database_error() else {
            return Err(error);
        };
        if has_code(&error, "GL001") {
            return Ok(FinishOutcome::Worn);
        }
        if refusal.code().is_some_and(|code| code.starts_with("23")) {
            return Ok(FinishOutcome::Violated(vec![violation(
                refusal.downcast_ref(),
            )]));
        }
        Err(error)
    }
}

/// What is wrong with a row, in PostgreSQL's words.
fn violation(error: &PgDatabaseError) -> String {
    match error.detail() {
        Some(detail) => format!("{}: {detail}", error.message()),
        None => error.message().to_owned(),
    }
}

/// Polls `sending` once, which sends; sqlx reads the answer before anything else it does. Nothing if
/// the answer is not there yet.
async fn send<T>(sending: impl Future<Output = T>) -> Option<T> {
    let mut sending = pin!(sending);
    poll_fn(|context| match sending.as_mut().poll(context) {
        Poll::Ready(answer) => Poll::Ready(Some(answer)),
        Poll::Pending => Poll::Ready(None),
    })
    .await
}
