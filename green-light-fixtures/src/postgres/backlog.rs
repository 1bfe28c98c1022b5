//! Databases of this process that nobody needs any more and nobody has dropped yet: never many.
//!
//! A server drops databases more slowly than it makes them, one janitor at a time, and each takes
//! several megabytes of its disk. So a test whose process has too many of them helps to drop some
//! before it gets another one; if that does not help, it says why, and fails.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use super::{
    connect::{Waiting, failed},
    janitor::{self, Round},
    office::Office,
};
use crate::error::{Error, Kind};

/// How many databases of one process may wait to be dropped.
const MOST: usize = 32;
/// How many rounds of our own may change nothing.
const ROUNDS: usize = 3;
/// How long a test waits while their number does not fall.
const LIMIT: Duration = Duration::from_secs(60);

#[derive(Debug, Default)]
pub(super) struct Backlog {
    /// Left by their tests, and not yet entered as such.
    leaving: AtomicUsize,
    /// Entered; some may have been dropped since they were counted.
    done: AtomicUsize,
}

impl Backlog {
    /// A test leaves its database.
    pub(super) fn leave(&self) {
        self.leaving.fetch_add(1, Ordering::Relaxed);
    }

    /// That database is entered as done with.
    pub(super) fn entered(&self) {
        self.done.fetch_add(1, Ordering::Relaxed);
        self.leaving.fetch_sub(1, Ordering::Relaxed);
    }

    /// Whether there are so many that none is to be made ahead.
    pub(super) fn is_full(&self) -> bool {
        self.leaving.load(Ordering::Relaxed) + self.done.load(Ordering::Relaxed) >= MOST
    }

    /// Waits until there are few enough for another database to be made, and helps.
    pub(super) async fn make_room(office: &Arc<Office>) -> Result<(), Error> {
        let backlog = &office.stock.backlog;
        if !backlog.is_full() {
            return Ok(());
        }
        let (mut waiting, mut fewest, mut fruitless) = (Waiting::new(), usize::MAX, 0);
        let mut since = Instant::now();
        loop {
            let left = backlog.count(office).await?;
            if !backlog.is_full() {
                return Ok(());
            }
            let round = janitor::sweep(office, 1).await;
            if left < fewest {
                (fewest, fruitless, since) = (left, 0, Instant::now());
            } else if matches!(round, Round::Refused(_)) {
                fruitless += 1;
            }
            if fruitless >= ROUNDS || since.elapsed() >= LIMIT {
                return Err(stuck(left, &round));
            }
            if !matches!(round, Round::Done) {
                waiting
                    .pause(|| {
                        format!("{left} databases of this process wait to be dropped: {round}")
                    })
                    .await;
            }
        }
    }

    async fn count(&self, office: &Office) -> Result<usize, Error> {
        let mut front = office.front.lock().await;
        let done: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM green_light.database WHERE owner = $1 AND state = 'done'",
        )
        .bind(office.key)
        .fetch_one(&mut *front)
        .await
        .map_err(|error| failed("databases that wait to be dropped cannot be counted", error))?;
        let done = usize::try_from(done).unwrap_or(usize::MAX);
        self.done.store(done, Ordering::Relaxed);
        Ok(done)
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
