//! One round of the janitor of a server, and what it came to.

use std::{fmt, future::Future, time::Duration};

use crate::error::Error;

/// How long one round may take. The janitor holds a lock, so one that hangs would keep all others
/// from dropping anything.
const ROUND: Duration = Duration::from_secs(30);

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
