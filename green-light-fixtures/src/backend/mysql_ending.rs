//! How the outer transaction of a test ends on MySQL: looked at, rolled back, begun anew, in one message.

use std::sync::Arc;

use sqlx::{MySqlConnection, MySqlPool};

use super::{
    Ended,
    mysql::{BEGIN, deepen, run},
    mysql_session::{Ledger, Looks},
    restart::Restart,
};
use crate::sandbox::Guard;

/// The statements that end a test, and how the session looks if it left nothing there.
#[derive(Debug)]
pub(crate) struct Ending {
    text: String,
    looks: Looks,
    ledger: Arc<Ledger>,
}

impl Ending {
    /// Looks at a fresh session, whose state every later test must leave as it is.
    pub(super) async fn of(pool: &MySqlPool, ledger: Arc<Ledger>) -> Result<Self, sqlx::Error> {
        let mut connection = pool.try_acquire().ok_or(sqlx::Error::PoolTimedOut)?;
        let looks = Looks::of(&mut connection).await?;
        ledger.begin(&mut connection).await?;
        connection.return_to_pool().await;
        let (look, mark) = (looks.query(), &ledger.mark);
        Ok(Self {
            text: format!("{}; {look}; ROLLBACK; {BEGIN}; {}", mark.release, mark.set),
            looks,
            ledger,
        })
    }
}

impl Restart<sqlx::MySql> for Ending {
    async fn run(&self, connection: &mut MySqlConnection, guard: &Guard) -> Ended {
        let rows = match run(connection, &self.text, guard, &self.ledger).await {
            Ok(rows) => rows,
            Err(error) => return Ended::Failed(error),
        };
        // If a use of the connection comes to its end here, it may have left something.
        guard.released();
        let Some(rows) = rows else {
            return Ended::Lost;
        };
        self.ledger.restarted();
        if guard.stays() || !self.looks.are_those_of(rows.first()) {
            return Ended::Changed;
        }
        match deepen(connection).await {
            Ok(()) => Ended::Clean,
            Err(error) => Ended::Failed(error),
        }
    }
}
