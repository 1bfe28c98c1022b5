//! The database of a test, whichever way it is kept apart from other tests.
//!
//! Invariant: it ends once. Its end reports what the test left behind; dropping it instead throws the database away.

use std::{sync::Arc, time::Duration};

use crate::backend::Backend;
use crate::database::keep_failed::nothing_to_keep;
use crate::database::test_lease::{Releasing, TestLease};
use crate::database_pool::DatabasePool;
use crate::error::Error;
use crate::isolation::Isolation;
use crate::sandbox::contention;
use crate::sandbox::lease::{Lease, Returning};
use crate::url::DatabaseUrl;

#[derive(Debug)]
pub(crate) enum IsolatedDb {
    /// A transaction in a kept database.
    Sandbox(Lease),
    /// A database that the test may commit to.
    Database(TestLease),
}

impl IsolatedDb {
    pub(crate) fn isolation(&self) -> Isolation {
        match self {
            Self::Sandbox(_) => Isolation::Transaction,
            Self::Database(lease) => lease.isolation(),
        }
    }

    /// The lease of a slot, with [`Isolation::Transaction`].
    pub(crate) fn sandbox(&self) -> Option<&Lease> {
        match self {
            Self::Sandbox(lease) => Some(lease),
            Self::Database(_) => None,
        }
    }

    pub(crate) fn test(&self) -> &str {
        match self {
            Self::Sandbox(lease) => lease.test(),
            Self::Database(lease) => lease.test(),
        }
    }

    pub(crate) fn url(&self) -> &DatabaseUrl {
        match self {
            Self::Sandbox(lease) => lease.url(),
            Self::Database(lease) => lease.url(),
        }
    }

    /// The same, for a test that may connect to it.
    pub(crate) fn give_url(&self) -> &DatabaseUrl {
        if let Some(lease) = self.sandbox() {
            lease.monitor().url_asked_for(lease.id());
        }
        self.url()
    }

    /// Whether the test asked where its database is, and a connection to it would see nothing of the test.
    pub(crate) fn was_url_asked_for(&self) -> bool {
        let lease = self.sandbox();
        lease.is_some_and(|lease| lease.monitor().was_url_asked_for())
    }

    /// The pool of the test, unless the test has ended.
    pub(crate) fn pool(&self) -> DatabasePool {
        match self {
            Self::Sandbox(lease) => lease
                .with_database(|database| database.pool())
                .unwrap_or_default(),
            Self::Database(lease) => lease.pool(),
        }
    }

    /// The savepoint that has to stay the innermost, if there is one.
    pub(crate) fn guard_savepoint(&self) -> Option<Arc<str>> {
        let lease = self.sandbox()?;
        lease.with_database(|database| database.guard_savepoint())?
    }

    /// The database will be kept when the test ends, as one of `at_most` so many.
    pub(crate) fn keep(&self, at_most: usize) {
        match self {
            Self::Database(lease) => lease.keep(at_most),
            Self::Sandbox(lease) => nothing_to_keep(lease.test()),
        }
    }

    /// Takes the database away from the test, which has ended.
    pub(crate) fn take(&self) -> Option<Released> {
        match self {
            Self::Sandbox(lease) => lease.take().map(Released::Sandbox),
            Self::Database(lease) => lease.take().map(Released::Database),
        }
    }

    /// What to know if the test failed because its connection was busy.
    pub(crate) fn contention(&self) -> Option<String> {
        let lease = self.sandbox()?;
        if self.was_deadlocked() {
            return Some(contention::deadlocked().to_owned());
        }
        let timeouts = lease.timeouts();
        let holder = lease.monitor().contention(timeouts.connection)?;
        Some(contention::connection_busy(timeouts, Some(holder)))
    }

    /// Whether the database has rolled back the transaction of the test, as far as is known.
    pub(crate) fn was_deadlocked(&self) -> bool {
        self.sandbox().is_some_and(Lease::was_deadlocked)
    }

    /// What it means that the server of the test had no connection left.
    pub(crate) fn no_connection(&self) -> Option<String> {
        self.pool().no_connection(None)
    }

    /// What to know if the server was started by green-light and has ended.
    pub(crate) fn server_end(&self) -> Option<String> {
        match self {
            Self::Sandbox(lease) => lease.server_end(),
            Self::Database(lease) => lease.server_end(),
        }
    }

    /// What to know if the test failed because nothing could be written any more.
    pub(crate) fn ended_early(&self) -> Option<String> {
        let by = self.sandbox()?.monitor().ended_early()?;
        Some(contention::ended_early(&by))
    }

    /// A text comes that nothing else reports.
    pub(crate) fn announce(&self, sql: &str) {
        if let Some(lease) = self.sandbox() {
            lease.monitor().announce(lease.id(), sql);
        }
    }

    /// Notes a text that nothing else reports: a breach can name it, and it is known what it leaves.
    pub(crate) fn ran_text(&self, sql: &str, elapsed: Duration, has_failed: bool) {
        if let Some(lease) = self.sandbox() {
            let monitor = lease.monitor();
            monitor.ran_text(lease.id(), sql, elapsed, has_failed);
        }
    }

    /// The statement of the test that could not find what the test had written, as far as SeaORM reports statements.
    pub(crate) fn searched(&self) -> Option<String> {
        self.sandbox()?.monitor().searched()
    }

    /// What to say if the test fails, all of which is known when the transaction has ended.
    pub(crate) fn remarks(&self) -> Vec<String> {
        self.sandbox().map(Lease::remarks).unwrap_or_default()
    }

    /// Whether an error seems to have rolled back more than it does in production.
    pub(crate) fn has_lost_rows(&self) -> bool {
        self.sandbox().is_some_and(Lease::has_lost_rows)
    }

    /// The statement of the test that the database refused last, as far as SeaORM reports statements.
    pub(crate) fn refused(&self) -> Option<String> {
        self.sandbox()?.monitor().refused()
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
            Self::Sandbox(returning) => returning.end().await,
            Self::Database(releasing) => Box::pin(releasing.end()).await,
        }
    }
}

/// Ends the transaction when it is dropped: sessions may outlive it, but not its database.
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
