//! One round of the janitor of a server, and what it came to.

use std::{fmt, future::Future, time::Duration};

use crate::error::Error;
use crate::server::background::Background;

/// How long one round may take. The janitor holds a lock, so one that hangs would keep all others
/// from dropping anything.
const ROUND: Duration = Duration::from_secs(30);

/// How long to wait for a round of somebody else.
const AGAIN: Duration = Duration::from_millis(20);

#[derive(Debug)]
pub(crate) enum Round {
    /// Whatever was to be dropped is gone.
    Done,
    /// Somebody else has the lock of the janitor.
    Elsewhere,
    /// There is no connection for it.
    NoConnection,
    /// It took too long.
    Late,
    /// Some were not dropped, or nothing could be done at all: the last error.
    Refused(String),
}

impl Round {
    /// Lets `work` come to an end, within reason. What stays is dropped the next time, by whoever comes.
    pub(crate) async fn of(work: impl Future<Output = Result<Self, Error>>) -> Self {
        match tokio::time::timeout(ROUND, work).await {
            Ok(Ok(round)) => round,
            Ok(Err(error)) => Self::Refused(format!("{error:?}")),
            Err(_) => Self::Late,
        }
    }

    /// The last round of this process, by `round`, which takes how many leftovers are worth it.
    ///
    /// The only process of a run goes again while another round is under way, since that may not have
    /// seen what was left at the end. Many processes leave it to each other.
    pub(crate) async fn last<F: Future<Output = Self>>(round: impl Fn(usize) -> F) {
        let at_least = Background::last_batch();
        while matches!(round(at_least).await, Self::Elsewhere) && at_least == 1 {
            tokio::time::sleep(AGAIN).await;
        }
    }
}

impl fmt::Display for Round {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Done => f.write_str("they are being dropped"),
            Self::Elsewhere => f.write_str("another process is dropping databases"),
            Self::NoConnection => f.write_str("there is no connection left to do so"),
            Self::Late => write!(f, "that takes longer than {} s", ROUND.as_secs()),
            Self::Refused(error) => f.write_str(error),
        }
    }
}
