//! What isolates one test: lent by an engine, ended once.
//!
//! Invariants: nothing in it reaches another test; `finish` is bounded in time; without `finish`, as
//! in a panic, dropping it throws its database away.

use std::{fmt, sync::Arc};

use crate::backend::Backend;
use crate::database::keep_failed::limit as keep_limit;
use crate::error::Error;
use crate::isolation::Isolation;
use crate::session::handle::Session;
use crate::session::isolated::{IsolatedDb, Owner};
use crate::session::savepoint::Savepoint;

/// What isolates one test: its outer transaction, or its lease of a database that it may commit to.
///
/// The application under test gets a [`session`](Self::session) or its `DatabaseConnection`; all it
/// writes is undone by [`finish`](Self::finish). Clones are the same transaction; dropping the last
/// one without `finish` throws its database away.
///
/// With [`Isolation::Database`] and [`Isolation::Shared`] no transaction is open: what the
/// application begins is a real transaction, and what it commits is committed. `finish` then throws
/// the database away or puts it back as the template made it.
#[derive(Clone)]
pub struct Transaction {
    owner: Arc<Owner>,
}

impl Transaction {
    pub(crate) fn new(isolated: IsolatedDb, backend: Backend) -> Self {
        Self {
            owner: Owner::new(isolated, backend),
        }
    }

    /// A session inside this transaction.
    ///
    /// Once the transaction has ended, every use of a new session is an error.
    #[must_use]
    pub fn session(&self) -> Session {
        Session::new(Arc::clone(&self.owner.isolated), self.owner.backend)
    }

    /// How the test is kept apart from the others.
    #[must_use]
    pub fn isolation(&self) -> Isolation {
        self.owner.isolated.isolation()
    }

    /// A mark to come back to within the test.
    ///
    /// # Errors
    ///
    /// When the connection is taken or the database refuses; always without
    /// [`Isolation::Transaction`](crate::Isolation::Transaction).
    pub async fn savepoint(&self) -> Result<Savepoint, Error> {
        Savepoint::set(self.session()).await
    }

    pub(crate) fn into_session(self) -> Session {
        self.session().owning(self.owner)
    }

    /// Ends the transaction: checks deferred constraints, rolls back, and gives the database back.
    /// With other isolations: closes the connections, and puts the database back or throws it away.
    ///
    /// Drop every session and connection of the test first: as long as one lives, the database
    /// cannot be used again and the next test gets a new one, which takes a little longer. Ending a
    /// transaction again does nothing.
    ///
    /// # Errors
    ///
    /// When the test ended the transaction itself, left rows that no commit would accept, or left its
    /// connection held by something. Whatever is returned, nothing of the test remains.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future throws the database away; the next test gets a new one.
    pub async fn finish(self) -> Result<(), Error> {
        let taken = self.owner.isolated.take();
        drop(self);
        match taken {
            Some(taken) => taken.end().await,
            None => Ok(()),
        }
    }

    /// Keeps the test's database when it ends, if `GREEN_LIGHT_KEEP` says how many are kept.
    ///
    /// The fixture does so for tests that fail. Where the database is goes to stderr; with
    /// [`Isolation::Transaction`] there is nothing to keep.
    ///
    /// # Errors
    ///
    /// When the variable does not hold a number.
    pub fn keep(&self) -> Result<(), Error> {
        match keep_limit()? {
            0 => {}
            at_most => self.owner.isolated.keep(at_most),
        }
        Ok(())
    }

    /// What to print if the test failed because its connection was busy: who held it, and the cure.
    ///
    /// `None` unless something held the connection for as long as a query waits for it. Once the
    /// transaction has ended, it says only whether the database ended it to break a deadlock.
    #[must_use]
    pub fn contention(&self) -> Option<String> {
        self.owner.isolated.contention()
    }

    /// What to print if the test failed: what the transaction has not done as production does, with the cure.
    ///
    /// All of it is known once the transaction has ended. The fixture prints it below a test that fails.
    ///
    /// ```
    /// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use green_light_fixtures::{Engine, Schema};
    /// # let engine = Engine::builder().schema(Schema::sql("CREATE TABLE a (x)")).build().await?;
    /// let transaction = engine.transaction().await?;
    /// transaction.clone().finish().await?;
    /// assert!(transaction.remarks().is_empty());
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn remarks(&self) -> Vec<String> {
        self.owner.isolated.remarks()
    }

    pub(crate) fn isolated(&self) -> &IsolatedDb {
        &self.owner.isolated
    }
}

impl fmt::Debug for Transaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Owner { isolated, backend } = &*self.owner;
        // The options of drivers, which are further down, print their passwords.
        f.debug_struct("Transaction")
            .field("backend", backend)
            .field("url", isolated.url())
            .field("test", &isolated.test())
            .finish()
    }
}
