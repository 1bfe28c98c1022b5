//! How long a server may take to reply, and the error when it takes longer.
//!
//! * A small reply, as one about a row of ours or a login, may take [`reply_timeout`]: 20 s unless set.
//! * A reply that takes long by its nature, as one about copying a database, may take [`LONG`] times that, and
//!   the user's own schema may take any time: both only as long as the server accepts other logins meanwhile,
//!   each within half of [`reply_timeout`].

use std::{
    error, fmt,
    future::{Future, poll_fn},
    io,
    pin::pin,
    sync::LazyLock,
    task::Poll,
    time::{Duration, Instant},
};

use green_light_core::progress;
use sqlx::ConnectOptions as _;

use crate::env::{invalid_value, value};
use crate::error::Error;
use crate::server::server_connection::ServerConnection;

const VARIABLE: &str = "GREEN_LIGHT_WAIT";
/// How long a small reply may take. A stopped server still accepts connections, and never replies.
const REPLY_TIMEOUT: Duration = Duration::from_secs(20);
/// How many times as long a slow one may take.
const LONG: u32 = 15;

static WAIT: LazyLock<Result<Duration, String>> = LazyLock::new(|| {
    let Some(text) = value(VARIABLE) else {
        return Ok(REPLY_TIMEOUT);
    };
    let seconds = text.parse().ok();
    seconds
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .filter(|wait| !wait.is_zero())
        .ok_or(text)
});

/// How long a small reply may take.
fn reply_timeout() -> Duration {
    WAIT.as_ref().map_or(REPLY_TIMEOUT, |wait| *wait)
}

/// # Errors
///
/// When the variable does not hold a number of seconds.
pub(crate) fn check_wait() -> Result<(), Error> {
    let Err(text) = &*WAIT else {
        return Ok(());
    };
    let help = "write how many seconds a server may say nothing, such as `60`, or unset it";
    Err(invalid_value(VARIABLE, text, help))
}

/// A reply did not come in time.
#[derive(Clone, Debug)]
pub(crate) struct ResponseTimeout {
    server: String,
    waited: Duration,
    what: String,
}

impl ResponseTimeout {
    fn new<C: ServerConnection>(options: &C::Options, waited: Duration, what: &str) -> Self {
        Self {
            server: format!("{} at `{}`", C::SERVER, C::place(options)),
            waited,
            what: what.to_owned(),
        }
    }

    /// The timeout that `error` holds, if it is one.
    pub(crate) fn of(error: &sqlx::Error) -> Option<&Self> {
        match error {
            sqlx::Error::Io(error) => error.get_ref()?.downcast_ref(),
            _ => None,
        }
    }

    pub(crate) fn to_error(&self) -> sqlx::Error {
        sqlx::Error::Io(io::Error::new(io::ErrorKind::TimedOut, self.clone()))
    }

    /// What to do about it.
    pub(crate) const HELP: &str = "look whether the server is stopped or overloaded, and whether the network \
        in between drops what is sent; `GREEN_LIGHT_WAIT=60` lets it say nothing for 60 s";
}

impl fmt::Display for ResponseTimeout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} said nothing for {}; waited for {}",
            self.server,
            seconds(self.waited),
            self.what
        )
    }
}

impl error::Error for ResponseTimeout {}

/// The result of `work`, or an error if the server does not reply. `what` is waited for, in words.
pub(crate) async fn with_timeout<C: ServerConnection, T>(
    options: &C::Options,
    what: &str,
    work: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, sqlx::Error> {
    let wait = reply_timeout();
    match tokio::time::timeout(wait, work).await {
        Ok(answer) => answer,
        Err(_) => Err(ResponseTimeout::new::<C>(options, wait, what).to_error()),
    }
}

/// The same for work that may take long.
pub(crate) async fn with_long_timeout<C: ServerConnection, T>(
    options: &C::Options,
    what: &str,
    work: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, sqlx::Error> {
    match watched::<C, _>(options, what, Some(reply_timeout() * LONG), work).await {
        Ok(answer) => answer,
        Err(timeout) => Err(timeout.to_error()),
    }
}

/// Lets `work` take any time, as long as the server accepts logins. Progress is printed meanwhile.
pub(crate) async fn while_server_alive<C: ServerConnection, T>(
    options: &C::Options,
    what: &str,
    work: impl Future<Output = T>,
) -> Result<T, sqlx::Error> {
    let watched = watched::<C, _>(options, what, None, work).await;
    watched.map_err(|timeout| timeout.to_error())
}

async fn watched<C: ServerConnection, T>(
    options: &C::Options,
    what: &str,
    limit: Option<Duration>,
    work: impl Future<Output = T>,
) -> Result<T, ResponseTimeout> {
    let (mut work, started) = (pin!(work), Instant::now());
    let mut reported = Duration::ZERO;
    loop {
        // A server that never replied is noticed after the timeout of a small reply: half of it for the work,
        // half of it for the login.
        if let Ok(done) = tokio::time::timeout(reply_timeout() / 2, &mut work).await {
            return Ok(done);
        }
        // The work goes on during the login.
        let mut login = pin!(accepts_logins::<C>(options));
        let first = poll_fn(|context| match work.as_mut().poll(context) {
            Poll::Ready(done) => Poll::Ready(Ok(done)),
            Poll::Pending => login.as_mut().poll(context).map(Err),
        });
        let is_alive = match first.await {
            Ok(done) => return Ok(done),
            Err(is_alive) => is_alive,
        };
        let waited = started.elapsed();
        if !is_alive || limit.is_some_and(|limit| waited >= limit) {
            return Err(ResponseTimeout::new::<C>(options, waited, what));
        }
        if waited >= reported + reply_timeout() {
            reported = waited;
            progress(&format!("{}: waiting for {what}", seconds(waited)));
        }
    }
}

fn seconds(duration: Duration) -> String {
    format!("{} s", (duration.as_secs_f64() * 10.0).round() / 10.0)
}

/// Whether the server accepts a login, or replies with a refusal.
async fn accepts_logins<C: ServerConnection>(options: &C::Options) -> bool {
    let wait = reply_timeout() / 2;
    match tokio::time::timeout(wait, options.connect()).await {
        Ok(Ok(connection)) => {
            let _ = tokio::time::timeout(wait, connection.close()).await;
            true
        }
        Ok(Err(sqlx::Error::Database(_))) => true,
        Ok(Err(_)) | Err(_) => false,
    }
}
