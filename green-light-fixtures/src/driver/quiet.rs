//! What green-light itself sends is not in the application's log of statements.
//!
//! sqlx logs each statement with the target `sqlx::query`, in the task that waits for it. While that task does work of
//! green-light, it has a subscriber that wants nothing. On SQLite a thread of sqlx writes the log, which this does not
//! reach.
//!
//! `tracing` remembers for each place that logs whether any subscriber wants it. While it knows of one subscriber alone,
//! it asks that of the task: if `Dispatch::none()` was there, no subscriber would ever hear of that place. So the
//! subscriber of green-light is a real one, which `tracing` asks besides the others.

use std::{
    future::{Future, poll_fn},
    pin::Pin,
    sync::LazyLock,
};

use tracing::{
    Event, Metadata, Subscriber,
    dispatcher::{Dispatch, has_been_set, with_default},
    level_filters::LevelFilter,
    span::{Attributes, Id, Record},
};

static QUIET: LazyLock<Dispatch> = LazyLock::new(|| Dispatch::new(Quiet));

/// Wants to hear of nothing.
struct Quiet;

impl Subscriber for Quiet {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        false
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(LevelFilter::OFF)
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, _: &Event<'_>) {}

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// Does `work` without the subscriber of the application. The caller pins it: what it needs is kilobytes, and
/// a test pays for each copy.
pub(crate) fn quietly<F: Future>(mut work: Pin<&mut F>) -> impl Future<Output = F::Output> {
    poll_fn(move |context| {
        // Without any subscriber `tracing` gives its records to the crate `log`. To set one here would end that for
        // the whole process.
        match has_been_set() {
            true => with_default(&QUIET, || work.as_mut().poll(context)),
            false => work.as_mut().poll(context),
        }
    })
}
