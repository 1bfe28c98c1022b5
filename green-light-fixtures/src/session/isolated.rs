//! The test's place in a database, whichever way it is kept apart from the others.
//!
//! Invariant: a place ends once. What ends it reports what the test left behind; dropping it instead
//! throws the database away.

use std::sync::Arc;

use crate::backend::Backend;
use crate::database::keep_failed::nothing_to_keep;
use crate::database::test_lease::{Releasing, TestLease};
use crate::database_pool::DatabasePool;
use crate::error::Error;
use crate::isolation::Isolation;
use crate::sandbox::lease::{Lease, Returning};
use crate::url::DatabaseUrl;

#[derive(Debug)]
pub(crate) enum IsolatedDb {
    /// A transaction in a kept database.
    Sandbox { lease: Lease, url: DatabaseUrl },
    /// A database that the test may commit to.
    Database(TestLease),
}

impl IsolatedDb {
    pub(crate) fn isolation(&self) -> Isolation {
        match self {
            Self::Sandbox { .. } => Isolation::Transaction,
            Self::Database(lease) => lease.isolation(),
        }
    }

    pub(crate) fn test(&self) -> &str {
        match self {
            Self::Sandbox { lease, .. } => lease.test(),
            Self::Database(lease) => lease.test(),
        }
    }

    pub(crate) fn url(&self) -> &DatabaseUrl {
        match self {
            Self::Sandbox { url, .. } => url,
            Self::Database(lease) => lease.url(),
        }
    }

    /// The same, for somebody who may connect to it.
    pub(crate) fn give_url(&self) -> &DatabaseUrl {
        if let Self::Sandbox { lease, .. } = self {
            lease.monitor().url_asked_for(lease.id());
        }
        self.url()
    }

    /// Whether the test asked where its database is, and a connection to it would see nothing of the test.
    pub(crate) fn was_url_asked_for(&self) -> bool {
        match self {
            Self::Sandbox { lease, .. } => lease.was_url_asked_for(),
            Self::Database(_) => false,
        }
    }

    /// The pool of the test, unless the place has ended.
    pub(crate) fn pool(&self) -> DatabasePool {
        match self {
            Self::Sandbox { lease, .. } => lease
                .with_database(|database| database.pool())
                .unwrap_or_default(),
            Self::Database(lease) => lease.pool(),
        }
    }

    /// The database will be kept when the place ends, as one of `at_most` so many.
    pub(crate) fn keep(&self, at_most: usize) {
        match self {
            Self::Database(lease) => lease.keep(at_most),
            Self::Sandbox { lease, .. } => nothing_to_keep(lease.test()),
        }
    }

    /// Takes the database out of the place, which then has ended.
    pub(crate) fn take(&self) -> Option<Released> {
        match self {
            Self::Sandbox { lease, .. } => lease.take().map(Released::Sandbox),
            Self::Database(lease) => lease.take().map(Released::Database),
        }
    }

    /// What to know if the test failed because its connection was taken.
    pub(crate) fn contention(&self) -> Option<String> {
        match self {
            Self::Sandbox { lease, .. } if lease.was_deadlocked() => {
                Some(crate::sandbox::contention::deadlocked().to_owned())
            }
            Self::Sandbox { lease, .. } => lease
                .contention()
                .map(|holder| crate::sandbox::contention::taken(lease.waits(), Some(holder))),
            Self::Database(_) => None,
        }
    }

    /// What to know if the server was started by green-light and has ended.
    pub(crate) fn server_end(&self) -> Option<String> {
        match self {
            Self::Sandbox { lease, .. } => lease.server_end(),
            Self::Database(lease) => lease.server_end(),
        }
    }

    /// What to know if the test failed because nothing could be written any more.
    pub(crate) fn ended_early(&self) -> Option<String> {
        match self {
            Self::Sandbox { lease, .. } => lease
                .ended_early()
                .map(|by| crate::sandbox::contention::ended_early(&by)),
            Self::Database(_) => None,
        }
    }

    /// The statement of the test that the database refused last, as far as SeaORM reports statements.
    pub(crate) fn refused(&self) -> Option<String> {
        match self {
            Self::Sandbox { lease, .. } => lease.monitor().refused(),
            Self::Database(_) => None,
        }
    }

    /// A raw pool, which cannot be tracked, is handed out.
    pub(crate) fn raw_pool_given(&self) {
        if let Self::Sandbox { lease, .. } = self {
            let is_shielded = lease
                .with_database(|database| database.is_shielded())
                .unwrap_or(true);
            lease.monitor().raw_pool_given(lease.id(), is_shielded);
        }
    }
}

/// A database on its way from a test to the next one, or out.
#[derive(Debug)]
#[must_use = "dropping it throws the database away"]
pub(crate) enum Released {
    Sandbox(Returning),
    Database(Releasing),
}

impl Released {
    /// Ends what the test began, reports, and gives the database back or throws it away.
    pub(crate) async fn end(self) -> Result<(), Error> {
        match self {
            Self::Sandbox(taken) => taken.end().await,
            Self::Database(releasing) => Box::pin(releasing.end()).await,
        }
    }
}

/// Ends the place when it is dropped: sessions may outlive the transaction, but not its database.
pub(crate) struct Owner {
    pub(crate) isolated: Arc<IsolatedDb>,
    pub(crate) backend: Backend,
}

impl Owner {
    pub(crate) fn new(isolated: IsolatedDb, backend: Backend) -> Arc<Self> {
        let isolated = Arc::new(isolated);
        Arc::new(Self { isolated, backend })
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        drop(self.isolated.take());
    }
}
