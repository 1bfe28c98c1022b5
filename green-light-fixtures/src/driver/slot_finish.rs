//! The end of a test on its kept connection, and the beginning of the next one.
//!
//! A test is often over while the connection of its last statement is still on its way back to the pool. The
//! second of the two ends the outer transaction, see [`Handoff`](crate::driver::handoff::Handoff). The pool then
//! looks whether the connection works, for which no test waits but the next.

use std::{
    future::{Future, poll_fn},
    pin::{Pin, pin},
    task::Poll,
    time::{Duration, Instant},
};

use sqlx::{Connection as _, Database, Pool, pool::PoolConnection};
use tokio::{
    runtime::{Handle, RuntimeFlavor},
    time::sleep,
};

use crate::driver::detached::Detached;
use crate::driver::monitor::SandboxMonitor;
use crate::driver::outcome::FinishOutcome;
use crate::driver::pool_handles::{
    ACQUIRING, COUNTING, HANDLES_IN_USE, HANDLES_RETURNING, has_more_handles, keeps_more_handles,
};
use crate::driver::sandbox::{ConnectionOf, Sandbox};

/// How long a connection may take to close before the test ends without it.
const CLOSING: Duration = Duration::from_secs(1);

/// What ends a test: its pool, whose owner has `own_handles` to it, and where the connection goes if it is shared.
pub(crate) struct Finish<'a, S: Sandbox> {
    pub(crate) pool: &'a Pool<S::Db>,
    pub(crate) own_handles: usize,
    pub(crate) sandbox: &'a S,
    pub(crate) monitor: &'a SandboxMonitor,
    pub(crate) detached: &'a Detached<S::Db>,
}

/// Ends the outer transaction of the pool and puts its connection back, unless that is done on the
/// connection's way back from its last use.
///
/// If something else has the pool, which the caller may know, the connection leaves the pool, which is closed, and
/// is detached. What is found here is given to `shared` before that.
pub(crate) async fn finish<S: Sandbox>(
    finish: Finish<'_, S>,
    mut is_shared: bool,
    shared: impl FnOnce(),
) -> FinishOutcome {
    let Finish {
        pool,
        own_handles,
        sandbox,
        monitor,
        detached,
    } = finish;
    let handoff = monitor.handoff();
    // What a runtime of one thread has not done when the test ends is never done.
    let is_alone = Handle::current().runtime_flavor() == RuntimeFlavor::CurrentThread;
    // It has a handle from here on, so that the number of all is known on the way back.
    let mut acquiring = pin!(Some(pool.acquire()));
    let request = (!is_alone && !is_shared).then(|| {
        let pool = pool.clone();
        let expected = own_handles
            + [ACQUIRING, COUNTING, HANDLES_RETURNING]
                .iter()
                .sum::<usize>();
        handoff.request_end(Box::new(move || !has_more_handles(&pool, expected)))
    });
    // `try_acquire` runs no callback, so a lost transaction is not begun again just to be ended.
    let taken = match pool.try_acquire() {
        Some(connection) => Ok(connection),
        None => first(acquiring.as_mut(), handoff.completed()).await,
    };
    acquiring.set(None);
    drop(request);
    let mut connection = match taken {
        Ok(connection) => connection,
        Err(ended) => {
            if !matches!(ended, FinishOutcome::Clean) {
                closed(pool).await;
            }
            return ended;
        }
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
    if !is_shared && keeps_more_handles(pool, own_handles + HANDLES_IN_USE).await {
        is_shared = true;
        shared();
    }
    let ended = end(sandbox, &mut connection, monitor).await;
    match ended {
        FinishOutcome::Clean if is_shared => {
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
        FinishOutcome::Worn => {
            if is_shared {
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

/// A use of the connection is over and did no harm, and so is the test: ends the outer transaction. `false` if the
/// connection is not to be used again.
pub(crate) async fn finish_on_way_back<S: Sandbox>(
    sandbox: &S,
    connection: &mut ConnectionOf<S>,
    monitor: &SandboxMonitor,
) -> bool {
    let ended = end(sandbox, connection, monitor).await;
    let is_clean = matches!(ended, FinishOutcome::Clean);
    monitor.handoff().complete(ended);
    is_clean
}

/// Ends the outer transaction, and reports why it was lost if it was.
async fn end<S: Sandbox>(
    sandbox: &S,
    connection: &mut ConnectionOf<S>,
    monitor: &SandboxMonitor,
) -> FinishOutcome {
    let ended = sandbox.finish(connection, monitor).await;
    if matches!(ended, FinishOutcome::Lost) {
        monitor.report_broken();
    }
    ended
}

/// Waits until the connection has been closed that does not go back to `pool`: a lock that its session has does not
/// stop the next test.
async fn closed<DB: Database>(pool: &Pool<DB>) {
    let begun = Instant::now();
    while pool.size() > 0 && begun.elapsed() < CLOSING {
        sleep(Duration::from_micros(100)).await;
    }
}

/// Waits for the connection, or until its transaction has been ended on its way back.
async fn first<DB: Database>(
    mut acquiring: Pin<&mut Option<impl Future<Output = Result<PoolConnection<DB>, sqlx::Error>>>>,
    completed: impl Future<Output = FinishOutcome>,
) -> Result<PoolConnection<DB>, FinishOutcome> {
    let mut completed = pin!(completed);
    let connection = poll_fn(|context| match completed.as_mut().poll(context) {
        Poll::Ready(ended) => Poll::Ready(Err(ended)),
        Poll::Pending => match acquiring.as_mut().as_pin_mut() {
            Some(acquiring) => acquiring.poll(context).map(Ok),
            None => Poll::Pending,
        },
    });
    connection.await?.map_err(|error| match error {
        sqlx::Error::PoolClosed => FinishOutcome::Closed,
        sqlx::Error::PoolTimedOut => FinishOutcome::Held,
        error => FinishOutcome::Failed(error),
    })
}
