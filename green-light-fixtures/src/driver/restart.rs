//! The end of a test on its kept connection, and the beginning of the next one.
//!
//! A test is often over while the connection of its last statement is still on its way back to the pool.
//! Whoever comes second ends the outer transaction, see `sandbox/finish.rs`. The pool
//! then looks whether the connection works, for which no test waits but the next.

use std::{
    future::{Future, poll_fn},
    pin::pin,
    sync::{Arc, OnceLock},
    task::Poll,
};

use sqlx::{Connection as _, Database, Pool, pool::PoolConnection};
use tokio::runtime::{Handle, RuntimeFlavor};

use crate::driver::handover::Handover;
use crate::driver::monitor::Guard;
use crate::driver::pool::Ended;

/// The statements that end the outer transaction and begin the next one.
pub(crate) trait Restart<DB: Database>: Send + Sync {
    /// Runs them after the last use of the connection.
    fn run(
        &self,
        connection: &mut DB::Connection,
        guard: &Guard,
    ) -> impl Future<Output = Ended> + Send;

    /// Whether the connection can be used by the next test, once the statements have run.
    fn is_usable(&self, connection: &mut DB::Connection) -> impl Future<Output = bool> + Send {
        // An answer that has not come yet may say that it cannot.
        async { connection.ping().await.is_ok() }
    }

    /// Waits until all is known about the statement that ended the outer transaction.
    fn settle(&self, _connection: &mut DB::Connection) -> impl Future<Output = ()> + Send {
        async {}
    }
}

/// Known once a slot has a connection to ask.
pub(crate) type Known<R> = Arc<OnceLock<R>>;

/// Ends the outer transaction of `pool` and puts its connection back, unless that is done on the
/// connection's way back from its last use.
///
/// With `handover` the connection leaves `pool`, which is closed.
pub(crate) async fn end<DB: Database>(
    pool: &Pool<DB>,
    guard: &Guard,
    restart: &OnceLock<impl Restart<DB>>,
    handover: Option<&Handover<DB>>,
) -> Ended {
    let Some(restart) = restart.get() else {
        return Ended::Changed;
    };
    let finish = guard.finish();
    // What a runtime of one thread has not done when the test ends is never done.
    let is_alone = Handle::current().runtime_flavor() == RuntimeFlavor::CurrentThread;
    if !is_alone && handover.is_none() {
        finish.want();
    }
    // `try_acquire` runs no callback, so a lost transaction is not begun again just to be ended.
    let taken = match pool.try_acquire() {
        Some(connection) => Ok(connection),
        None => take(pool, finish.told()).await,
    };
    let mut connection = match taken {
        Ok(connection) => connection,
        Err(ended) => return ended,
    };
    finish.put_back();
    if let Some(ended) = finish.take() {
        return ended;
    }
    if guard.is_lost() {
        restart.settle(&mut connection).await;
        return Ended::Lost;
    }
    guard.taken();
    let ended = restart.run(&mut connection, guard).await;
    match (&ended, handover) {
        (Ended::Clean, Some(handover)) => {
            // From here on the pool gives out no connection, and this is its only one.
            drop(pool.close());
            let mut connection = connection.detach();
            if !restart.is_usable(&mut connection).await {
                let _ = connection.close_hard().await;
                return Ended::Worn;
            }
            handover.put(connection, false);
            return ended;
        }
        (Ended::Worn, _) => {
            let _ = connection.close().await;
            return ended;
        }
        _ => {}
    }
    if is_alone && matches!(ended, Ended::Clean) {
        connection.return_to_pool().await;
        // The number of idle connections lags behind under load; a closed one is not counted.
        if pool.size() == 0 {
            return Ended::Changed;
        }
    }
    ended
}

/// The last use of the connection is over and did no harm: if the test is over as well, ends the outer
/// transaction. `false` if the connection is not to be used again.
pub(crate) async fn released<DB: Database>(
    connection: &mut DB::Connection,
    guard: &Guard,
    restart: &OnceLock<impl Restart<DB>>,
) -> bool {
    let (true, Some(restart)) = (guard.finish().is_wanted(), restart.get()) else {
        return true;
    };
    let ended = restart.run(connection, guard).await;
    let is_clean = matches!(ended, Ended::Clean);
    guard.finish().tell(ended);
    is_clean
}

/// Waits for the connection, or until somebody else has ended its transaction.
async fn take<DB: Database>(
    pool: &Pool<DB>,
    told: impl Future<Output = Ended>,
) -> Result<PoolConnection<DB>, Ended> {
    let (mut told, mut acquired) = (pin!(told), pin!(pool.acquire()));
    let connection = poll_fn(|context| match told.as_mut().poll(context) {
        Poll::Ready(ended) => Poll::Ready(Err(ended)),
        Poll::Pending => acquired.as_mut().poll(context).map(Ok),
    });
    connection.await?.map_err(|error| match error {
        sqlx::Error::PoolClosed => Ended::Closed,
        sqlx::Error::PoolTimedOut => Ended::Held,
        error => Ended::Failed(error),
    })
}
