//! One test's time in a database that it may commit to.

use std::{
    mem,
    sync::{
        Arc, Weak,
        atomic::{AtomicUsize, Ordering},
    },
};

use green_light_core::{Mutex, left_behind};

use crate::database::keep_failed::keep;
use crate::database::shared_queue::SharedGuard;
use crate::database_pool::DatabasePool;
use crate::driver::breach::{Breach, BreachReport};
use crate::driver::traits::TestDatabase;
use crate::error::{Error, Kind};
use crate::isolation::Isolation;
use crate::limits::Timeouts;
use crate::test_id::TestId;
use crate::url::DatabaseUrl;

/// A test's lease of a database that it may commit to.
#[derive(Debug)]
pub(crate) struct TestLease {
    url: DatabaseUrl,
    test: TestId,
    isolation: Isolation,
    pub(crate) timeouts: Timeouts,
    /// How many databases of failed tests may be kept, if this is one.
    keep: AtomicUsize,
    /// Held by every connection of the test, and by this until the lease has ended.
    pub(crate) token: Mutex<Option<Arc<()>>>,
    /// Empty once the lease has ended.
    leased: Mutex<Option<Leased>>,
}

/// What a lease holds. Dropped, the pool is closed first and then the database goes.
#[derive(Debug)]
struct Leased {
    pool: ClosingPool,
    database: LeasedDatabase,
}

/// The database of a lease.
#[derive(Debug)]
pub(crate) enum LeasedDatabase {
    /// For this test alone.
    Dedicated(Box<dyn TestDatabase>),
    /// For one test of the process after the other.
    Shared(SharedGuard),
}

impl LeasedDatabase {
    fn database(&self) -> Result<&dyn TestDatabase, Error> {
        match self {
            Self::Dedicated(database) => Ok(&**database),
            Self::Shared(guard) => guard.database(),
        }
    }

    fn isolation(&self) -> Isolation {
        match self {
            Self::Dedicated(_) => Isolation::Database,
            Self::Shared(_) => Isolation::Shared,
        }
    }

    /// The test has ended. With `is_held` something still has one of its connections.
    async fn release(self, test: &str, is_held: bool) -> Result<(), Error> {
        match self {
            Self::Dedicated(database) => database.settle().await,
            Self::Shared(guard) => guard.release(test, is_held).await,
        }
    }

    fn into_database(self) -> Option<Box<dyn TestDatabase>> {
        match self {
            Self::Dedicated(database) => Some(database),
            Self::Shared(guard) => guard.into_database(),
        }
    }
}

/// The pool of a test, which is closed when the test ends, even if something still has a clone of it.
#[derive(Debug)]
struct ClosingPool(DatabasePool);

impl Drop for ClosingPool {
    fn drop(&mut self) {
        // Waiting here for the connections that are out could block for ever.
        drop(self.0.close());
    }
}

impl TestLease {
    /// Opens the pool by which `test` uses `database`.
    pub(crate) async fn open(
        database: LeasedDatabase,
        test: TestId,
        timeouts: Timeouts,
    ) -> Result<Self, Error> {
        let opened = database.database()?;
        let (url, pool) = (opened.url().clone(), opened.open().await?);
        let pool = ClosingPool(pool);
        opened.begin(test.name());
        Ok(Self {
            url,
            test,
            isolation: database.isolation(),
            timeouts,
            keep: AtomicUsize::new(0),
            token: Mutex::new(Some(Arc::default())),
            leased: Mutex::new(Some(Leased { pool, database })),
        })
    }

    pub(crate) fn isolation(&self) -> Isolation {
        self.isolation
    }

    pub(crate) fn url(&self) -> &DatabaseUrl {
        &self.url
    }

    pub(crate) fn test(&self) -> &str {
        self.test.name()
    }

    /// The database will be kept when the lease ends, as one of `at_most` so many.
    pub(crate) fn keep(&self, at_most: usize) {
        self.keep.store(at_most, Ordering::Relaxed);
    }

    /// The pool of the test, unless the lease has ended.
    pub(crate) fn pool(&self) -> DatabasePool {
        let leased = self.leased.lock();
        let pool = leased.as_ref().map(|leased| leased.pool.0.clone());
        pool.unwrap_or_default()
    }

    /// Ends the lease. Dropping what is returned throws the database away.
    pub(crate) fn take(&self) -> Option<Releasing> {
        let leased = mem::take(&mut *self.leased.lock());
        let token = self.token.lock().take();
        leased.map(|leased| Releasing {
            token: token.as_ref().map(Arc::downgrade).unwrap_or_default(),
            leased,
            test: self.test.clone(),
            timeouts: self.timeouts,
            keep: self.keep.load(Ordering::Relaxed),
        })
    }

    /// What to know if the server was started by green-light and has ended, in words.
    pub(crate) fn server_end(&self) -> Option<String> {
        self.leased.lock().as_ref()?.pool.0.server_end()
    }
}

/// A database whose test has ended.
#[derive(Debug)]
#[must_use = "dropping it throws the database away"]
pub(crate) struct Releasing {
    leased: Leased,
    token: Weak<()>,
    test: TestId,
    timeouts: Timeouts,
    keep: usize,
}

impl Releasing {
    /// Waits for the connections of the test, and gives the database back or throws it away.
    pub(crate) async fn end(self) -> Result<(), Error> {
        let Self {
            leased: Leased { pool, database },
            token,
            test,
            timeouts,
            keep: at_most,
        } = self;
        if token.strong_count() > 0 {
            left_behind(test.name(), move || token.strong_count() > 0);
        }
        let closing = pool.0.close();
        let is_held = tokio::time::timeout(timeouts.teardown, closing)
            .await
            .is_err();
        drop(pool);
        if let Ok(database) = database.database() {
            database.look_after(test.name()).await;
        }
        let mut errors = Vec::new();
        if is_held {
            let text = format!(
                "test `{test}` ended, but one of its connections was still in use {:.1} s later",
                timeouts.teardown.as_secs_f64(),
            );
            errors.push(Error::new(Kind::Held, text).help(
                "end what the test began: commit or drop its transactions and streams, \
                 and spawn tasks with `green_light::spawn`, which ends them with the test",
            ));
        }
        if let Ok(database) = database.database() {
            errors.extend(database.loss(test.name()).await);
            for set in database.put_back().await {
                let report = BreachReport {
                    statement: Some(set),
                    ..BreachReport::new(Breach::SetInProcess)
                };
                errors.push(report.into_error(test.name()));
            }
        }
        let released = match (at_most, database) {
            (0, database) => database.release(test.name(), is_held).await,
            (_, database) => match database.into_database() {
                Some(database) => keep(database, &test, at_most).await,
                None => Ok(()),
            },
        };
        errors.extend(released.err());
        Error::all(errors)
    }
}
