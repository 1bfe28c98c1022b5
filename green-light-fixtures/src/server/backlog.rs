//! Databases of this process that nobody needs any more and nobody has dropped yet: never many.
//!
//! A server drops databases more slowly than it makes them, one janitor at a time, and each takes
//! several megabytes of its disk. So a test whose process has too many of them helps to drop some
//! before it gets another one; if that does not help, it says why, and fails.

use std::{
    future::Future,
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use crate::backoff::Backoff;
use crate::error::{Error, Kind};
use crate::server::reaper_pass::Round;

/// How many databases of one process may wait to be dropped.
const MOST: usize = 32;
/// How many rounds of our own may change nothing.
const ROUNDS: usize = 3;
/// How long a test waits while their number does not fall.
const LIMIT: Duration = Duration::from_secs(60);

#[derive(Debug, Default)]
pub(crate) struct Backlog {
    /// Left by their tests, and not yet entered as such.
    leaving: AtomicUsize,
    /// Entered; some may have been dropped since they were counted.
    done: AtomicUsize,
}

impl Backlog {
    /// A test leaves its database.
    pub(crate) fn leave(&self) {
        self.leaving.fetch_add(1, Ordering::Relaxed);
    }

    /// That database is entered as done with.
    pub(crate) fn entered(&self) {
        self.done.fetch_add(1, Ordering::Relaxed);
        self.leaving.fetch_sub(1, Ordering::Relaxed);
    }

    /// That database has gone back into stock instead.
    pub(crate) fn returned(&self) {
        self.leaving.fetch_sub(1, Ordering::Relaxed);
    }

    /// Whether a database has been left, and nothing has become of it yet.
    pub(crate) fn is_growing(&self) -> bool {
        self.leaving.load(Ordering::Relaxed) > 0
    }

    /// Whether there are so many that none is to be made ahead.
    pub(crate) fn is_full(&self) -> bool {
        self.leaving.load(Ordering::Relaxed) + self.done.load(Ordering::Relaxed) >= MOST
    }

    /// Waits until there are few enough for another database to be made, and helps.
    ///
    /// `count` counts those that are entered, `sweep` drops some.
    pub(crate) async fn make_room<C, S>(
        &self,
        count: impl Fn() -> C,
        sweep: impl Fn() -> S,
    ) -> Result<(), Error>
    where
        C: Future<Output = Result<i64, Error>>,
        S: Future<Output = Round>,
    {
        if !self.is_full() {
            return Ok(());
        }
        let (mut backoff, mut fewest, mut fruitless) = (Backoff::new(), usize::MAX, 0);
        let mut since = Instant::now();
        loop {
            let left = usize::try_from(count().await?).unwrap_or(usize::MAX);
            self.done.store(left, Ordering::Relaxed);
            if !self.is_full() {
                return Ok(());
            }
            let round = sweep().await;
            if left < fewest {
                (fewest, fruitless, since) = (left, 0, Instant::now());
            } else if matches!(round, Round::Refused(_)) {
                fruitless += 1;
            }
            if fruitless >= ROUNDS || since.elapsed() >= LIMIT {
                return Err(stuck(left, &round));
            }
            if !matches!(round, Round::Done) {
                backoff
                    .pause(|| {
                        format!("{left} databases of this process wait to be dropped: {round}")
                    })
                    .await;
            }
        }
    }
}

fn stuck(left: usize, round: &Round) -> Error {
    let text =
        format!("{left} databases of this process could not be dropped, so no more are made");
    Error::new(Kind::Connection, text)
        .help(
            "look at the cause; a server drops no database while one of its sessions waits for a \
             client that does not read, or while somebody with more rights is connected to it",
        )
        .because(round.to_string())
}
