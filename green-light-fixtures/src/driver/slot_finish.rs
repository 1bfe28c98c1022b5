//! The end of a test on its kept connection, and the beginning of the next one.
//!
//! A test is often over while the connection of its last statement is still on its way back to the pool. The
//! second of the two ends the outer transaction, see [`Handoff`](crate::driver::handoff::Handoff). The pool then
//! looks whether the connection works, for which no test waits but the next.

use std::{
    future::{Future, poll_fn},
    pin::pin,
    task::Poll,
};

use sqlx::{Connection as _, Database, Pool, pool::PoolConnection};
use tokio::runtime::{Handle, RuntimeFlavor};

use crate::driver::detached::Detached;
use crate::driver::monitor::SandboxMonitor;
use crate::driver::outcome::FinishOutcome;
use crate::driver::sandbox::{ConnectionOf, Sandbox};

/// Ends the outer transaction of `pool` and puts its connection back, unless that is done on the
/// connection's way back from its last use.
///
/// With `detached` the connection leaves `pool`, which is closed, and goes there.
pub(crate) async fn finish<S: Sandbox>(
    pool: &Pool<S::Db>,
    sandbox: &S,
    monitor: &SandboxMonitor,
    detached: Option<&Detached<S::Db>>,
) -> FinishOutcome {
    let handoff = monitor.handoff();
    // What a runtime of one thread has not done when the test ends is never done.
    let is_alone = Handle::current().runtime_flavor() == RuntimeFlavor::CurrentThread;
    if !is_alone && detached.is_none() {
        handoff.request_end();
    }
    // `try_acquire` runs no callback, so a lost transaction is not begun again just to be ended.
    let taken = match pool.try_acquire() {
        Some(connection) => Ok(connection),
        None => take(pool, handoff.completed()).await,
    };
    let mut connection = match taken {
        Ok(connection) => connection,
        Err(ended) => return ended,
    };
    handoff.mark_returned();
    if let Some(ended) = handoff.take() {
        return ended;
    }
    if monitor.is_lost() {
        sandbox.flush_events(&mut connection).await;
        return FinishOutcome::Lost;
    }
    monitor.end_checkout();
    let ended = sandbox.finish(&mut connection, monitor).await;
    match (&ended, detached) {
        (FinishOutcome::Clean, Some(detached)) => {
            // From here on the pool gives out no connection, and this is its only one.
            drop(pool.close());
            let mut connection = connection.detach();
            if !sandbox.is_usable(&mut connection).await {
                let _ = connection.close_hard().await;
                return FinishOutcome::Worn;
            }
            detached.put(connection, false);
            return ended;
        }
        (FinishOutcome::Worn, detached) => {
            if detached.is_some() {
                // What still has the pool gets no new connection by it.
                drop(pool.close());
            }
            let _ = connection.close().await;
            return ended;
        }
        _ => {}
    }
    if is_alone && matches!(ended, FinishOutcome::Clean) {
        connection.return_to_pool().await;
        // The number of idle connections lags behind under load; a closed one is not counted.
        if pool.size() == 0 {
            return FinishOutcome::Changed;
        }
    }
    ended
}

/// A use of the connection is over and did no harm: if the test is over as well, ends the outer transaction.
/// `false` if the connection is not to be used again.
pub(crate) async fn finish_if_requested<S: Sandbox>(
    sandbox: &S,
    connection: &mut ConnectionOf<S>,
    monitor: &SandboxMonitor,
) -> bool {
    if !monitor.handoff().is_end_requested() {
        return true;
    }
    let ended = sandbox.finish(connection, monitor).await;
    let is_clean = matches!(ended, FinishOutcome::Clean);
    monitor.handoff().complete(ended);
    is_clean
}

/// Waits for the connection, or until its transaction has been ended on its way back.
async fn take<DB: Database>(
    pool: &Pool<DB>,
    completed: impl Future<Output = FinishOutcome>,
) -> Result<PoolConnection<DB>, FinishOutcome> {
    let (mut completed, mut acquired) = (pin!(completed), pin!(pool.acquire()));
    let connection = poll_fn(|context| match completed.as_mut().poll(context) {
        Poll::Ready(ended) => Poll::Ready(Err(ended)),
        Poll::Pending => acquired.as_mut().poll(context).map(Ok),
    });
    connection.await?.map_err(|error| match error {
        sqlx::Error::PoolClosed => FinishOutcome::Closed,
        sqlx::Error::PoolTimedOut => FinishOutcome::Held,
        error => FinishOutcome::Failed(error),
    })
}
