//! One test's time in a database that it may commit to.

use std::{
    mem,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicUsize, Ordering},
    },
};

use green_light_core::left_behind;

#[cfg(feature = "sea-orm")]
use sea_orm::{ConnAcquireErr, DbErr, RuntimeErr};

use crate::database::factory::Home;
use crate::database_pool::DatabasePool;
use crate::error::{Error, Kind};
use crate::isolation::Isolation;
use crate::limits::Timeouts;
use crate::url::DatabaseUrl;

#[derive(Debug)]
pub(crate) struct Stay {
    url: DatabaseUrl,
    test: Arc<str>,
    isolation: Isolation,
    waits: Timeouts,
    /// How many databases of failed tests may be kept, if this is one.
    keep: AtomicUsize,
    /// Held by every connection of the test, and by this until the stay has ended.
    token: Mutex<Option<Arc<()>>>,
    /// Empty once the stay has ended.
    occupied: Mutex<Option<Occupied>>,
}

/// What a stay holds: dropped, the pool is closed first and then the database goes.
#[derive(Debug)]
struct Occupied {
    pool: OwnPool,
    home: Home,
}

/// The pool of a test, which is closed when the test ends, whoever still has a clone of it.
#[derive(Debug)]
struct OwnPool(DatabasePool);

impl Drop for OwnPool {
    fn drop(&mut self) {
        // Waiting for the connections would mean waiting for whoever holds one.
        drop(self.0.close());
    }
}

impl Stay {
    pub(crate) fn new(
        pool: DatabasePool,
        home: Home,
        test: Arc<str>,
        isolation: Isolation,
        waits: Timeouts,
    ) -> Self {
        Self {
            url: home.url(),
            test,
            isolation,
            waits,
            keep: AtomicUsize::new(0),
            token: Mutex::new(Some(Arc::default())),
            occupied: Mutex::new(Some(Occupied {
                pool: OwnPool(pool),
                home,
            })),
        }
    }

    pub(crate) fn isolation(&self) -> Isolation {
        self.isolation
    }

    pub(crate) fn url(&self) -> &DatabaseUrl {
        &self.url
    }

    pub(crate) fn test(&self) -> &str {
        &self.test
    }

    /// The database will be kept when the stay ends, as one of `at_most` so many.
    pub(crate) fn keep(&self, at_most: usize) {
        self.keep.store(at_most, Ordering::Relaxed);
    }

    fn own_token(&self) -> MutexGuard<'_, Option<Arc<()>>> {
        self.token.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// To be held by every connection of the test; none once the stay has ended.
    #[cfg(feature = "sea-orm")]
    pub(crate) fn token(&self) -> Option<Arc<()>> {
        self.own_token().clone()
    }

    /// The pool of the test, unless the stay has ended.
    pub(crate) fn pool(&self) -> DatabasePool {
        let occupied = self.occupied.lock().unwrap_or_else(PoisonError::into_inner);
        occupied
            .as_ref()
            .map(|occupied| occupied.pool.0.clone())
            .unwrap_or_default()
    }

    /// Ends the stay. Dropping what is returned throws the database away.
    pub(crate) fn take(&self) -> Option<Leaving> {
        let occupied =
            mem::take(&mut *self.occupied.lock().unwrap_or_else(PoisonError::into_inner));
        let token = self.own_token().take();
        occupied.map(|occupied| Leaving {
            token: token.as_ref().map(Arc::downgrade).unwrap_or_default(),
            occupied,
            test: Arc::clone(&self.test),
            waits: self.waits,
            keep: self.keep.load(Ordering::Relaxed),
        })
    }

    #[cfg(feature = "sea-orm")]
    fn has_ended(&self) -> bool {
        self.occupied
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .is_none()
    }

    /// What to know if the server was started by green-light and has ended, in words.
    pub(crate) fn server_end(&self) -> Option<String> {
        let occupied = self.occupied.lock().unwrap_or_else(PoisonError::into_inner);
        occupied.as_ref()?.pool.0.server_end()
    }

    /// Says what it means that no connection could be had.
    #[cfg(feature = "sea-orm")]
    pub(crate) fn explain(&self, error: DbErr) -> DbErr {
        let text = match error {
            DbErr::ConnectionAcquire(ConnAcquireErr::Timeout)
                if let Some(end) = self.server_end() =>
            {
                end
            }
            DbErr::ConnectionAcquire(ConnAcquireErr::Timeout) => format!(
                "none of the {} connections of this test was free within {:.1} s\n  \
                 help: end transactions and streams before others are begun, or let fewer tasks \
                 query at once; `session.url()` is for a pool of any size",
                self.pool()
                    .max_connections()
                    .unwrap_or(crate::limits::SESSION_CONNECTIONS),
                self.waits.connection.as_secs_f64(),
            ),
            DbErr::ConnectionAcquire(ConnAcquireErr::ConnectionClosed) if self.has_ended() => {
                crate::sandbox::contention::has_ended(&self.test)
            }
            other => return other,
        };
        DbErr::Conn(RuntimeErr::Internal(text))
    }
}

/// A database whose test has ended.
#[derive(Debug)]
#[must_use = "dropping it throws the database away"]
pub(crate) struct Leaving {
    occupied: Occupied,
    token: Weak<()>,
    test: Arc<str>,
    waits: Timeouts,
    keep: usize,
}

impl Leaving {
    /// Waits for the connections of the test, and gives the database back or throws it away.
    pub(crate) async fn end(self) -> Result<(), Error> {
        let Self {
            occupied,
            token,
            test,
            waits,
            keep,
        } = self;
        if token.strong_count() > 0 {
            left_behind(&test, move || token.strong_count() > 0);
        }
        let Occupied { pool, home } = occupied;
        let closing = pool.0.close();
        let held = tokio::time::timeout(waits.teardown, closing).await.is_err();
        drop(pool);
        let mut errors = Vec::new();
        if held {
            let text = format!(
                "test `{test}` ended, but one of its connections was still in use {:.1} s later",
                waits.teardown.as_secs_f64(),
            );
            errors.push(Error::new(Kind::Held, text).help(
                "end what the test began: commit or drop its transactions and streams, \
                 and spawn tasks with `green_light::spawn`, which ends them with the test",
            ));
        }
        let left = match keep {
            0 => home.leave(&test, held).await,
            at_most => home.keep(&test, at_most).await,
        };
        errors.extend(left.err());
        Error::all(errors)
    }
}
