//! How the outer transaction of a test ends on MySQL: looked at, rolled back, begun anew, in one message.
//!
//! In two if the test has begun a transaction. Then what the session has counted is looked at as well,
//! once the test has been told how it ended.

use std::sync::Arc;

use sqlx::{AssertSqlSafe, Executor, MySqlConnection, MySqlPool, mysql::MySqlRow};

use super::{
    Ended,
    mysql::{BEGIN, deepen, is_missing, run},
    mysql_session::{Ledger, Looks},
    mysql_texts,
    restart::Restart,
};
use crate::{mysql::Programs, sandbox::Guard};

/// How many texts besides those about savepoints end one test and begin the next: the look, `ROLLBACK`
/// and `START TRANSACTION`.
const OWN: u64 = 3;

/// The statements that end a test, and how the session looks if it left nothing there.
#[derive(Debug)]
pub(crate) struct Ending {
    text: String,
    /// What is sent in place of the rest of it if the test has begun a transaction.
    rest: String,
    /// The savepoint that tells.
    savepoint: String,
    looks: Looks,
    programs: Programs,
    ledger: Arc<Ledger>,
}

impl Ending {
    /// Looks at a fresh session, whose state every later test must leave as it is.
    pub(super) async fn of(
        pool: &MySqlPool,
        ledger: Arc<Ledger>,
        programs: Programs,
    ) -> Result<Self, sqlx::Error> {
        let mut connection = pool.try_acquire().ok_or(sqlx::Error::PoolTimedOut)?;
        let looks = Looks::of(&mut connection).await?;
        ledger.begin(&mut connection).await?;
        connection.return_to_pool().await;
        let (mark, savepoint) = (&ledger.mark, mysql_texts::savepoint());
        let anew = format!(
            "{}; ROLLBACK; {BEGIN}; SAVEPOINT {savepoint}; {}",
            looks.query(),
            mark.set
        );
        Ok(Self {
            text: format!("{}; RELEASE SAVEPOINT {savepoint}; {anew}", mark.release),
            rest: anew,
            savepoint,
            looks,
            programs,
            ledger,
        })
    }

    /// Ends the transaction, and returns what the session answered. Nothing if it was not there.
    async fn answer(
        &self,
        connection: &mut MySqlConnection,
        guard: &Guard,
    ) -> Result<Option<Vec<MySqlRow>>, sqlx::Error> {
        match run(connection, &self.text, guard, &self.ledger).await {
            Err(error) if is_missing(&error, &self.savepoint) => {
                self.ledger.texts.doubt();
                let rows = connection.fetch_all(AssertSqlSafe(&*self.rest)).await?;
                Ok(Some(rows))
            }
            other => other,
        }
    }
}

impl Restart<sqlx::MySql> for Ending {
    async fn run(&self, connection: &mut MySqlConnection, guard: &Guard) -> Ended {
        let answer = match self.answer(connection, guard).await {
            Ok(answer) => answer,
            Err(error) => return Ended::Failed(error),
        };
        // If a use of the connection comes to its end here, it may have left something.
        guard.released();
        let Some(rows) = answer else {
            return Ended::Lost;
        };
        self.ledger.restarted(guard.texts() + OWN);
        let may_stay = guard.stays() || self.programs == Programs::Leaving;
        if may_stay || !self.looks.are_those_of(rows.first()) {
            return Ended::Worn;
        }
        match deepen(connection).await {
            Ok(()) => Ended::Clean,
            Err(error) => Ended::Failed(error),
        }
    }
}
