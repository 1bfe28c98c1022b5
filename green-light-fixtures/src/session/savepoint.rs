//! A mark in a test's transaction, to come back to.
//!
//! The session stays usable between the mark and the return. A savepoint that is dropped does
//! nothing: the end of the test takes it along.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Instant,
};

use crate::error::{Error, Kind};
use crate::isolation::Isolation;
use crate::session::handle::Session;

/// A mark in the transaction of a test.
///
/// It needs [`Isolation::Transaction`]: with several connections there is no one transaction that
/// everything the test does could be marked in.
///
/// # Examples
///
/// ```
/// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use green_light_fixtures::{Engine, Schema};
/// # let engine = Engine::builder().schema(Schema::sql("CREATE TABLE a (x)")).build().await?;
/// let transaction = engine.transaction().await?;
/// let before = transaction.savepoint().await?;
/// transaction.session().run_script("no rows", "DELETE FROM a").await?;
/// before.rollback().await?;
/// transaction.finish().await?;
/// # Ok(()) }
/// ```
#[derive(Debug)]
#[must_use = "a savepoint that is not rolled back does nothing"]
pub struct Savepoint {
    session: Session,
    name: String,
}

impl Savepoint {
    pub(crate) async fn set(session: Session) -> Result<Self, Error> {
        if session.isolation() != Isolation::Transaction {
            return Err(needs_a_transaction(session.isolation()));
        }
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let name = format!("green_light_{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        let savepoint = Self { session, name };
        savepoint.send("SAVEPOINT").await?;
        Ok(savepoint)
    }

    /// Undoes everything since the mark. The mark stays.
    ///
    /// # Errors
    ///
    /// When the connection is taken, or the test's transaction was ended by the test itself.
    pub async fn rollback(&self) -> Result<(), Error> {
        self.send("ROLLBACK TO SAVEPOINT").await
    }

    /// Removes the mark and keeps what was done since.
    ///
    /// # Errors
    ///
    /// When the connection is taken, or the test's transaction was ended by the test itself.
    pub async fn release(self) -> Result<(), Error> {
        self.send("RELEASE SAVEPOINT").await
    }

    async fn send(&self, verb: &str) -> Result<(), Error> {
        let mut text = format!("{verb} {}", self.name);
        // On a server the guard savepoint of the sandbox has to stay the innermost.
        if let Some(guard_savepoint) = self.session.shared.isolated.guard_savepoint() {
            text.push_str(&format!("; SAVEPOINT {guard_savepoint}"));
            if verb == "SAVEPOINT" {
                text.insert_str(0, &format!("RELEASE SAVEPOINT {guard_savepoint}; "));
            }
        }
        let (isolated, begun) = (&self.session.shared.isolated, Instant::now());
        isolated.announce(&text);
        let result = self.session.pool().run_text(text.clone()).await;
        if !matches!(result, Err(sqlx::Error::PoolTimedOut)) {
            isolated.ran_text(&text, begun.elapsed(), result.is_err());
        }
        result.map_err(|error| {
            let failed = Error::new(
                Kind::Connection,
                format!("`{verb}` of the whole test `{}` failed", isolated.test()),
            );
            match isolated.contention().or_else(|| isolated.ended_early()) {
                Some(explained) => failed.because(explained),
                None => failed.because(error),
            }
        })
    }
}

fn needs_a_transaction(isolation: Isolation) -> Error {
    Error::new(
        Kind::Configuration,
        format!(
            "a savepoint of the whole test needs `isolation = transaction`, and this test has \
             `isolation = {isolation}`"
        ),
    )
    .help("begin a transaction of your own, and roll that back")
}
