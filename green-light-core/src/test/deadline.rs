//! `timeout = ".."`: a phase that takes too long is cancelled and named, and the rest goes on.
//!
//! Set-up and body share one span of time; each teardown has as much again. When it is up, the
//! contexts of the test unwind where they wait, and are polled until they have, so that destructors
//! may `wait`. Only what has not unwound after the grace time is dropped. Code that blocks the
//! thread cannot be stopped: its phase fails when it returns, and nothing that belongs to
//! the same span of time begins any more.

use std::any::Any;
use std::cell::Cell;
use std::future::Future;
use std::pin::pin;
use std::time::{self, Duration};

use tokio::time::{Instant, timeout, timeout_at};

use crate::context::frame::CancelToken;
use crate::fixture::phase::{Expired, Phase};
use crate::report::panics::CatchAll;

/// How long an expired test may go on unwinding.
const GRACE: Duration = Duration::from_secs(10);

/// The clock of one test.
#[derive(Debug)]
pub(crate) struct Clock {
    limit: Option<Duration>,
    phase: Cell<Phase>,
    began: Cell<Option<Instant>>,
    /// The same by the clock on the wall, which no test can pause.
    truly_began: Cell<Option<time::Instant>>,
    expired: Cell<bool>,
    /// That this span of time is over has been noted.
    noted: Cell<bool>,
}

impl Clock {
    pub(crate) fn new(limit: Option<Duration>) -> Self {
        Self {
            limit,
            phase: Cell::new(Phase::Body),
            began: Cell::new(None),
            truly_began: Cell::new(None),
            expired: Cell::new(false),
            noted: Cell::new(false),
        }
    }

    /// Notes what the test is doing from now on. A teardown has time of its own.
    pub(crate) fn enter(&self, phase: Phase) {
        self.phase.set(phase);
        if self.limit.is_some()
            && (matches!(phase, Phase::Teardown(_)) || self.began.get().is_none())
        {
            self.began.set(Some(Instant::now()));
            self.truly_began.set(Some(time::Instant::now()));
            self.noted.set(false);
        }
    }

    pub(crate) fn phase(&self) -> Phase {
        self.phase.get()
    }

    /// Whether what runs now is being cancelled: nothing new should begin here.
    pub(crate) fn has_expired(&self) -> bool {
        self.expired.get()
    }

    /// Whether the time of the phase was up before it ended, as that of one that blocks its thread. Once for
    /// each span of time.
    pub(crate) fn overrun(&self) -> Option<Expired> {
        let (limit, took) = (self.limit?, self.truly_began.get()?.elapsed());
        if took <= limit || self.has_expired() || self.noted.replace(true) {
            return None;
        }
        Some(Expired {
            phase: self.phase(),
            limit,
            took: Some(took),
        })
    }

    /// Whether [`overrun`](Self::overrun) has reported that this span of time is over.
    pub(crate) fn has_overrun(&self) -> bool {
        self.noted.get()
    }

    fn deadline(&self, limit: Duration) -> Instant {
        self.began.get().unwrap_or_else(Instant::now) + limit
    }

    /// Runs `future` until it ends or the time of its phase is up; then `expired` is called, and
    /// `future` is cancelled. A panic is returned, unless it is the unwinding of the cancellation.
    ///
    /// `None` if it was cancelled.
    pub(crate) async fn run<F: Future>(
        &self,
        name: &str,
        future: F,
        expired: impl FnOnce(Expired),
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
        if !self.noted.replace(true) {
            expired(Expired {
                phase: self.phase(),
                limit,
                took: None,
            });
        }
        self.expired.set(true);
        token.cancel();
        // What it returns is of no interest any more: the test has failed.
        drop(timeout(GRACE, future).await);
        None
    }
}
