//! What green-light itself sends is not in the application's log of statements.
//!
//! sqlx logs each statement with the target `sqlx::query`, in the task that waits for it. While that task does work of
//! green-light, it has no subscriber. On SQLite a thread of sqlx writes the log, which this does not reach.

use std::{
    future::{Future, poll_fn},
    pin::pin,
};

use tracing::dispatcher::{Dispatch, has_been_set, with_default};

/// Does `work` without a subscriber.
pub(crate) async fn quietly<F: Future>(work: F) -> F::Output {
    let mut work = pin!(work);
    poll_fn(|context| {
        // Without any subscriber `tracing` gives its records to the crate `log`. To set one here would end that for
        // the whole process.
        match has_been_set() {
            true => with_default(&Dispatch::none(), || work.as_mut().poll(context)),
            false => work.as_mut().poll(context),
        }
    })
    .await
}
