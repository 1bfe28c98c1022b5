//! How the outer transaction of a test ends on MySQL: looked at, rolled back, begun anew, in one message.
//!
//! In two if the test has begun a transaction. Then what the session has counted is looked at as well,
//! once the test has been told how it ended.

use std::sync::Arc;

use sqlx::{AssertSqlSafe, Executor, MySql, MySqlConnection, MySqlPool, mysql::MySqlRow};

use crate::driver::monitor::Guard;
use crate::driver::outcome::Ended;
use crate::mysql::outer_transaction::{BEGIN, is_missing, run};
use crate::mysql::routines::Programs;
use crate::mysql::session_audit::{Ledger, Looks};
use crate::mysql::{session_leftovers, statement_count};
use crate::server::guard_savepoint::{Mark, deepen};

/// How many texts besides those about savepoints end one test and begin the next: the look, `ROLLBACK`
/// and `START TRANSACTION`.
const OWN: u64 = 3;
/// How many of these come after the server has counted the others.
const AFTER: u64 = 2;

/// The statements that end a test, and how the session looks if it left nothing there.
#[derive(Debug)]
pub(crate) struct Finish {
    usual: Texts,
    /// The same for a test whose statements were not reported, if the server can be asked what they left.
    thorough: Option<Texts>,
    /// The savepoint that tells whether the test has begun a transaction.
    savepoint: String,
    looks: Looks,
    programs: Programs,
    ledger: Arc<Ledger>,
}

#[derive(Debug)]
struct Texts {
    all: String,
    /// What is sent in place of the rest of it if the test has begun a transaction.
    rest: String,
}

impl Texts {
    /// `look` comes before the rollback.
    fn new(look: &str, mark: &Mark, savepoint: &str) -> Self {
        let rest = format!(
            "{look}; ROLLBACK; {BEGIN}; SAVEPOINT {savepoint}; {}",
            mark.set
        );
        Self {
            all: format!(
                "RELEASE SAVEPOINT {}; RELEASE SAVEPOINT {savepoint}; {rest}",
                mark.name()
            ),
            rest,
        }
    }
}

impl Finish {
    /// Looks at a fresh session, whose state every later test must leave as it is.
    pub(crate) async fn of(
        pool: &MySqlPool,
        ledger: Arc<Ledger>,
        programs: Programs,
    ) -> Result<Self, sqlx::Error> {
        let mut connection = pool.try_acquire().ok_or(sqlx::Error::PoolTimedOut)?;
        let looks = Looks::of(&mut connection).await?;
        let can_be_asked = session_leftovers::can_be_asked(&mut connection).await;
        ledger.begin(&mut connection).await?;
        connection.return_to_pool().await;
        let (mark, savepoint) = (&ledger.mark, statement_count::savepoint());
        let texts = |look: &str| Texts::new(look, mark, &savepoint);
        Ok(Self {
            usual: texts(looks.query()),
            thorough: can_be_asked.then(|| {
                texts(&format!(
                    "{}; {}",
                    looks.query(),
                    session_leftovers::query()
                ))
            }),
            savepoint,
            looks,
            programs,
            ledger,
        })
    }

    /// Ends the transaction by `texts`, and returns what the session answered. Nothing if it was not
    /// there.
    async fn answer(
        &self,
        texts: &Texts,
        connection: &mut MySqlConnection,
        guard: &Guard,
    ) -> Result<Option<Vec<MySqlRow>>, sqlx::Error> {
        match run(connection, &texts.all, guard, &self.ledger).await {
            Err(error) if is_missing(&error, &self.savepoint) => {
                self.ledger.texts.doubt();
                let rows = connection.fetch_all(AssertSqlSafe(&*texts.rest)).await?;
                Ok(Some(rows))
            }
            other => other,
        }
    }

    /// The text to end a test with whose statements were not all reported, if that makes a difference.
    fn thorough(&self, guard: &Guard) -> Option<&Texts> {
        let may_be_clean =
            guard.is_unseen() && !guard.stays() && self.programs != Programs::Leaving;
        self.thorough.as_ref().filter(|_| may_be_clean)
    }
}

impl Finish {
    pub(crate) async fn run(&self, connection: &mut MySqlConnection, guard: &Guard) -> Ended {
        let thorough = self.thorough(guard);
        let texts = thorough.unwrap_or(&self.usual);
        let answer = match self.answer(texts, connection, guard).await {
            Ok(answer) => answer,
            Err(error) => return Ended::Failed(error),
        };
        // If a use of the connection comes to its end here, it may have left something.
        guard.released();
        let Some(rows) = answer else {
            return Ended::Lost;
        };
        let may_stay = guard.stays() || self.programs == Programs::Leaving;
        if thorough.is_some() {
            let left = rows.get(1..).unwrap_or_default();
            match session_leftovers::texts_of_clean(left, self.ledger.own()) {
                Some(texts) => self.ledger.restarted_after(texts + AFTER),
                None => return Ended::Worn,
            }
        } else if guard.is_unseen() {
            return Ended::Worn;
        } else {
            self.ledger.restarted(guard.texts() + OWN);
        }
        if may_stay || !self.looks.are_those_of(rows.first()) {
            return Ended::Worn;
        }
        match deepen::<MySql>(connection).await {
            Ok(()) => Ended::Clean,
            Err(error) => Ended::Failed(error),
        }
    }
}
