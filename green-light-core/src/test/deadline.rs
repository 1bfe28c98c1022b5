//! `timeout = ".."`: a phase that takes too long is cancelled and named, and the rest goes on.
//!
//! Set-up and body share one span of time; each teardown has as much again. When it is up, the
//! contexts of the test unwind where they wait, and are polled until they have, so that destructors
//! may `wait`. Only what has not unwound after the grace time is dropped. Code that blocks the
//! thread cannot be stopped by anybody: the timeout is reported when it returns.

use std::any::Any;
use std::cell::Cell;
use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use tokio::time::{Instant, timeout, timeout_at};

use crate::context::CancelToken;
use crate::fixture::Definition;
use crate::report::CatchAll;

/// How long an expired test may go on unwinding.
const GRACE: Duration = Duration::from_secs(10);

/// What a test is doing.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Phase {
    SetUp(&'static Definition),
    Body,
    Teardown(Option<&'static Definition>),
}

/// The clock of one test.
#[derive(Debug)]
pub(crate) struct Clock {
    limit: Option<Duration>,
    phase: Cell<Phase>,
    began: Cell<Option<Instant>>,
    expired: Cell<bool>,
}

impl Clock {
    pub(crate) fn new(limit: Option<Duration>) -> Self {
        Self {
            limit,
            phase: Cell::new(Phase::Body),
            began: Cell::new(None),
            expired: Cell::new(false),
        }
    }

    /// Notes what the test is doing from now on. A teardown has time of its own.
    pub(crate) fn enter(&self, phase: Phase) {
        self.phase.set(phase);
        if self.limit.is_some()
            && (matches!(phase, Phase::Teardown(_)) || self.began.get().is_none())
        {
            self.began.set(Some(Instant::now()));
        }
    }

    pub(crate) fn phase(&self) -> Phase {
        self.phase.get()
    }

    /// Whether what runs now is being cancelled: nothing new should begin here.
    pub(crate) fn has_expired(&self) -> bool {
        self.expired.get()
    }

    fn deadline(&self, limit: Duration) -> Instant {
        self.began.get().unwrap_or_else(Instant::now) + limit
    }

    /// Runs `future` until it ends or the time of its phase is up; then `expired` is told, and
    /// `future` is cancelled. A panic is returned, unless it is the unwinding of the cancellation.
    ///
    /// `None` if it was cancelled.
    pub(crate) async fn run<F: Future>(
        &self,
        name: &str,
        future: F,
        expired: impl FnOnce(Phase, Duration),
    ) -> Option<Result<F::Output, Box<dyn Any + Send>>> {
        self.expired.set(false);
        let token = CancelToken::named(name);
        let mut future = pin!(token.scope(future));
        let mut future = CatchAll {
            future: future.as_mut(),
        };
        let Some(limit) = self.limit else {
            return Some(future.await);
        };
        loop {
            match timeout_at(self.deadline(limit), &mut future).await {
                Ok(ended) => return Some(ended),
                Err(_) if self.deadline(limit) > Instant::now() => {}
                Err(_) => break,
            }
        }
        expired(self.phase(), limit);
        self.expired.set(true);
        token.cancel();
        // What it returns is of no interest any more: the test has failed.
        drop(timeout(GRACE, future).await);
        None
    }
}
