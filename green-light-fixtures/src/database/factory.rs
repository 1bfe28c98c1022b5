//! Makes the databases of one engine that tests may commit to.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use crate::database::shared_queue::SharedQueue;
use crate::database::test_lease::{LeasedDatabase, TestLease};
use crate::driver::traits::{ALL_TESTS, Template, TestDatabase};
use crate::error::Error;
use crate::limits::Timeouts;
use crate::test_id::TestId;

/// The databases of one engine that tests may commit to.
#[derive(Debug)]
pub(crate) struct DatabaseFactory {
    template: Arc<dyn Template>,
    timeouts: Timeouts,
    shared_queue: SharedQueue,
    created: AtomicU64,
}

impl DatabaseFactory {
    pub(crate) fn new(template: Arc<dyn Template>, timeouts: Timeouts) -> Self {
        Self {
            template,
            timeouts,
            shared_queue: SharedQueue::default(),
            created: AtomicU64::new(0),
        }
    }

    /// How many databases have been made.
    pub(crate) fn created(&self) -> u64 {
        self.created.load(Ordering::Relaxed)
    }

    /// A database for `test` alone.
    pub(crate) async fn dedicated(&self, test: TestId) -> Result<TestLease, Error> {
        let database = LeasedDatabase::Dedicated(self.create(&test.path).await?);
        TestLease::open(database, test, self.timeouts).await
    }

    /// The database that the tests of the process share, once no other test has it.
    pub(crate) async fn shared(&self, test: TestId) -> Result<TestLease, Error> {
        let make = async || self.create(ALL_TESTS).await;
        let mut guard = self.shared_queue.wait(&test, make).await?;
        guard.noted = self.template.note_turn(&test.path);
        TestLease::open(LeasedDatabase::Shared(guard), test, self.timeouts).await
    }

    async fn create(&self, owner: &str) -> Result<Box<dyn TestDatabase>, Error> {
        let database = self.template.create(owner, self.timeouts).await?;
        self.created.fetch_add(1, Ordering::Relaxed);
        Ok(database)
    }
}
