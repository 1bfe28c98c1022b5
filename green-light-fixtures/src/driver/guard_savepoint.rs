//! The kept connection of a slot on a server, whichever driver it belongs to.

#[cfg(feature = "postgres")]
use std::{
    future::{Future, poll_fn},
    pin::pin,
    task::Poll,
};
use std::{
    hash::{BuildHasher as _, RandomState},
    sync::Arc,
    time::Duration,
};

use sqlx::{Connection, Database, pool::PoolOptions};

/// The depth that sqlx counts while nothing but the outer transaction is open. One use of the
/// connection can lose two levels for each `begin` that fails in it.
pub(crate) const BASE_DEPTH: usize = 8;
/// How many results of cancelled messages may wait to be read.
const PENDING: usize = 1_000;

/// The guard savepoint of one slot. Nobody can guess its name, so no text of a test sets or releases it.
#[derive(Clone, Debug)]
pub(crate) struct Mark {
    name: Arc<str>,
    pub(crate) set: Arc<str>,
    #[cfg(feature = "mysql")]
    pub(crate) release: Arc<str>,
    /// Sets it anew; an error if the outer transaction has ended.
    pub(crate) renew: Arc<str>,
    pub(crate) back: Arc<str>,
}

impl Mark {
    pub(crate) fn new() -> Self {
        let random = RandomState::new().hash_one(std::process::id());
        let name = format!("green_light_{random:016x}");
        Self {
            name: name.as_str().into(),
            set: format!("SAVEPOINT {name}").into(),
            #[cfg(feature = "mysql")]
            release: format!("RELEASE SAVEPOINT {name}").into(),
            renew: format!("RELEASE SAVEPOINT {name}; SAVEPOINT {name}").into(),
            back: format!("ROLLBACK TO SAVEPOINT {name}").into(),
        }
    }

    /// The name, for what a test asks green-light itself to do to savepoints.
    pub(crate) fn name(&self) -> Arc<str> {
        Arc::clone(&self.name)
    }
}

/// Options of a pool that keeps its one connection, and with it the test's transaction.
pub(crate) fn options<DB: Database>(wait: Duration) -> PoolOptions<DB> {
    // No timer and no test may replace the connection.
    PoolOptions::new()
        .max_connections(1)
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
        .acquire_timeout(wait)
}

/// Polls `sending` once, which sends; sqlx reads the answer before anything else it does. Nothing if
/// the answer is not there yet.
#[cfg(feature = "postgres")]
pub(crate) async fn send<T>(sending: impl Future<Output = T>) -> Option<T> {
    let mut sending = pin!(sending);
    poll_fn(|context| match sending.as_mut().poll(context) {
        Poll::Ready(answer) => Poll::Ready(Some(answer)),
        Poll::Pending => Poll::Ready(None),
    })
    .await
}

/// Reads the results of messages that nobody waited for, among them errors that nobody wants.
pub(crate) async fn drain<C: Connection>(connection: &mut C) -> Result<(), sqlx::Error> {
    for _ in 0..PENDING {
        match connection.flush().await {
            Err(sqlx::Error::Database(_)) => {}
            other => return other,
        }
    }
    connection.flush().await
}

pub(crate) fn has_code(error: &sqlx::Error, code: &str) -> bool {
    error
        .as_database_error()
        .and_then(|error| error.code())
        .is_some_and(|found| found == code)
}
