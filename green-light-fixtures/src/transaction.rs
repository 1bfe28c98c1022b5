//! The outer transaction of one test: lent by an engine, ended once.
//!
//! Invariants: nothing in it is ever committed; `finish` is bounded in time; without `finish`, as in
//! a panic, dropping it throws its database away, so nothing of it reaches another test.

use std::sync::Arc;

use sea_orm::{DatabaseConnection, DbErr};

use crate::{
    backend::Backend, error::Error, sandbox::Lease, savepoint::Savepoint, session::Session,
    url::DatabaseUrl,
};

/// The transaction that isolates one test.
///
/// The application under test gets a [`session`](Self::session) or its `DatabaseConnection`; all it
/// writes is rolled back by [`finish`](Self::finish). Clones are the same transaction; dropping the
/// last one without `finish` throws its database away.
#[derive(Clone, Debug)]
pub struct Transaction {
    owner: Arc<Owner>,
}

#[derive(Debug)]
struct Owner {
    lease: Arc<Lease>,
    backend: Backend,
    url: DatabaseUrl,
}

impl Transaction {
    pub(crate) fn new(lease: Lease, backend: Backend, url: DatabaseUrl) -> Self {
        Self {
            owner: Arc::new(Owner {
                lease: Arc::new(lease),
                backend,
                url,
            }),
        }
    }

    /// A session inside this transaction.
    ///
    /// Once the transaction has ended, every use of a new session is an error.
    #[must_use]
    pub fn session(&self) -> Session {
        let Owner {
            lease,
            backend,
            url,
        } = &*self.owner;
        Session::new(Arc::clone(lease), *backend, url.clone())
    }

    /// The connection of the test, as applications take it.
    #[must_use]
    pub fn connection(&self) -> DatabaseConnection {
        self.session().connection().clone()
    }

    pub(crate) fn into_session(self) -> Session {
        self.session().owning(self)
    }

    /// A mark to come back to within the test.
    ///
    /// # Errors
    ///
    /// When the connection is taken or the database refuses.
    pub async fn savepoint(&self) -> Result<Savepoint, DbErr> {
        Savepoint::set(self.session()).await
    }

    /// Ends the transaction: checks deferred constraints, rolls back, and gives the database back.
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
        let taken = self.owner.lease.take();
        drop(self);
        match taken {
            Some(taken) => taken.end().await,
            None => Ok(()),
        }
    }

    /// What to print if the test failed because its connection was taken: who held it, and the cure.
    ///
    /// `None` unless something held the connection for as long as a query waits for it.
    #[must_use]
    pub fn contention(&self) -> Option<String> {
        let lease = &self.owner.lease;
        lease
            .contention()
            .map(|holder| crate::session::taken(lease.waits(), Some(holder)))
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        // Sessions may outlive the transaction, but not its database.
        drop(self.lease.take());
    }
}
