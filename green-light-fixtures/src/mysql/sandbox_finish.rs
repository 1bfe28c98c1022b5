//! How the outer transaction of a test ends on MySQL: looked at, rolled back, begun anew, in one message.
//!
//! In two if the test has begun a transaction. Then what the session has counted is looked at as well,
//! once the test has been told how it ended.

use std::sync::Arc;

use sqlx::{AssertSqlSafe, Executor, MySql, MySqlConnection, MySqlPool, mysql::MySqlRow};

use crate::driver::monitor::SandboxMonitor;
use crate::driver::outcome::FinishOutcome;
use crate::mysql::outer_transaction::{BEGIN, is_missing, run};
use crate::mysql::routines::RoutineEffects;
use crate::mysql::session_audit::{SessionAudit, SessionVariables};
use crate::mysql::{session_leftovers, statement_count};
use crate::server::guard_savepoint::{GuardSavepoint, raise_depth};

/// How many texts besides those about savepoints end one test and begin the next: the look, `ROLLBACK`
/// and `START TRANSACTION`.
const OWN: u64 = 3;
/// How many of these come after the server has counted the others.
const AFTER: u64 = 2;

/// The statements that end a test, and how the session looks if it left nothing there.
#[derive(Debug)]
pub(crate) struct FinishStatements {
    usual: Texts,
    /// The same for a test whose statements were not reported, if the server can be asked what they left.
    thorough: Option<Texts>,
    /// The savepoint that tells whether the test has begun a transaction.
    savepoint: String,
    looks: SessionVariables,
    routine_effects: RoutineEffects,
    audit: Arc<SessionAudit>,
}

#[derive(Debug)]
struct Texts {
    all: String,
    /// What is sent in place of the rest of it if the test has begun a transaction.
    rest: String,
}

impl Texts {
    /// `look` comes before the rollback.
    fn new(look: &str, guard_savepoint: &GuardSavepoint, savepoint: &str) -> Self {
        let rest = format!(
            "{look}; ROLLBACK; {BEGIN}; SAVEPOINT {savepoint}; {}",
            guard_savepoint.set
        );
        Self {
            all: format!(
                "RELEASE SAVEPOINT {}; RELEASE SAVEPOINT {savepoint}; {rest}",
                guard_savepoint.name()
            ),
            rest,
        }
    }
}

impl FinishStatements {
    /// Looks at a fresh session, whose state every later test must leave as it is.
    pub(crate) async fn of(
        pool: &MySqlPool,
        audit: Arc<SessionAudit>,
        routine_effects: RoutineEffects,
    ) -> Result<Self, sqlx::Error> {
        let mut connection = pool.try_acquire().ok_or(sqlx::Error::PoolTimedOut)?;
        let looks = SessionVariables::of(&mut connection).await?;
        let can_be_asked = session_leftovers::can_be_asked(&mut connection).await;
        audit.begin(&mut connection).await?;
        connection.return_to_pool().await;
        let (guard_savepoint, savepoint) = (&audit.guard_savepoint, statement_count::savepoint());
        let texts = |look: &str| Texts::new(look, guard_savepoint, &savepoint);
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
            routine_effects,
            audit,
        })
    }

    /// Ends the transaction by `texts`, and returns what the session answered. Nothing if it was not
    /// there.
    async fn answer(
        &self,
        texts: &Texts,
        connection: &mut MySqlConnection,
        monitor: &SandboxMonitor,
    ) -> Result<Option<Vec<MySqlRow>>, sqlx::Error> {
        match run(connection, &texts.all, monitor, &self.audit).await {
            Err(error) if is_missing(&error, &self.savepoint) => {
                self.audit.texts.doubt();
                let rows = connection.fetch_all(AssertSqlSafe(&*texts.rest)).await?;
                Ok(Some(rows))
            }
            other => other,
        }
    }

    /// The text to end a test with whose statements were not all reported, if that makes a difference.
    fn thorough(&self, monitor: &SandboxMonitor) -> Option<&Texts> {
        let may_be_clean = monitor.is_unseen()
            && !monitor.session_dirty()
            && self.routine_effects != RoutineEffects::DirtySession;
        self.thorough.as_ref().filter(|_| may_be_clean)
    }
}

impl FinishStatements {
    pub(crate) async fn run(
        &self,
        connection: &mut MySqlConnection,
        monitor: &SandboxMonitor,
    ) -> FinishOutcome {
        let thorough = self.thorough(monitor);
        let texts = thorough.unwrap_or(&self.usual);
        let answer = match self.answer(texts, connection, monitor).await {
            Ok(answer) => answer,
            Err(error) => return FinishOutcome::Failed(error),
        };
        // If a use of the connection comes to its end here, it may have left something.
        monitor.released();
        let Some(rows) = answer else {
            return FinishOutcome::Lost;
        };
        let may_stay =
            monitor.session_dirty() || self.routine_effects == RoutineEffects::DirtySession;
        if thorough.is_some() {
            let left = rows.get(1..).unwrap_or_default();
            match session_leftovers::texts_of_clean(left, self.audit.own()) {
                Some(texts) => self.audit.restarted_after(texts + AFTER),
                None => return FinishOutcome::Worn,
            }
        } else if monitor.is_unseen() {
            return FinishOutcome::Worn;
        } else {
            self.audit.restarted(monitor.texts() + OWN);
        }
        if may_stay || !self.looks.are_those_of(rows.first()) {
            return FinishOutcome::Worn;
        }
        match raise_depth::<MySql>(connection).await {
            Ok(()) => FinishOutcome::Clean,
            Err(error) => FinishOutcome::Failed(error),
        }
    }
}
