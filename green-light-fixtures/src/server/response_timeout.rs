//! How long a server may say nothing, and what is told when it has.
//!
//! * A small answer, as one about a row of ours or a login, may take [`answer`]: 20 s unless set.
//! * What takes long by its nature, as copying a database, may take [`LONG`] times that, and what the user's
//!   own schema does may take any time: both only as long as the server lets somebody else in meanwhile, which
//!   it may take half of [`answer`] for.

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
use sqlx::{ConnectOptions as _, Connection};

use crate::env::{not_understood, value};
use crate::error::Error;
use crate::server::admin_connection::{Answer, Asked};

const VARIABLE: &str = "GREEN_LIGHT_WAIT";
/// How long a server may take for a small answer. One that is stopped still takes connections, and then
/// says nothing.
const ANSWER: Duration = Duration::from_secs(20);
/// How many times as long it may take for a large one.
const LONG: u32 = 15;

static WAIT: LazyLock<Result<Duration, String>> = LazyLock::new(|| {
    let Some(text) = value(VARIABLE) else {
        return Ok(ANSWER);
    };
    let seconds = text.parse().ok();
    seconds
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .filter(|wait| !wait.is_zero())
        .ok_or(text)
});

/// How long a server may take for a small answer.
fn answer() -> Duration {
    WAIT.as_ref().map_or(ANSWER, |wait| *wait)
}

/// # Errors
///
/// When the variable does not hold a number of seconds.
pub(crate) fn check_wait() -> Result<(), Error> {
    let Err(text) = &*WAIT else {
        return Ok(());
    };
    let help = "write how many seconds a server may say nothing, such as `60`, or unset it";
    Err(not_understood(VARIABLE, text, help))
}

/// A connection to a server that green-light works with.
pub(crate) trait Served: Connection {
    /// The server, in messages.
    const SERVER: &'static str;
    /// Where the server is, without a password.
    fn place(options: &Self::Options) -> String;
    /// Asks without a bound.
    fn ask(&mut self, asked: Asked<Self::Database>) -> Answer<'_, Self::Database>;
}

/// An answer that did not come.
#[derive(Clone, Debug)]
pub(crate) struct Silence {
    server: String,
    waited: Duration,
    what: String,
}

impl Silence {
    fn new<C: Served>(options: &C::Options, waited: Duration, what: &str) -> Self {
        Self {
            server: format!("{} at `{}`", C::SERVER, C::place(options)),
            waited,
            what: what.to_owned(),
        }
    }

    /// The silence that `error` tells of, if it is one.
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

impl fmt::Display for Silence {
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

impl error::Error for Silence {}

/// What `work` brings, or an error if the server says nothing. `what` is waited for, in words.
pub(crate) async fn answered<C: Served, T>(
    options: &C::Options,
    what: &str,
    work: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, sqlx::Error> {
    let wait = answer();
    match tokio::time::timeout(wait, work).await {
        Ok(answer) => answer,
        Err(_) => Err(Silence::new::<C>(options, wait, what).to_error()),
    }
}

/// The same for what may take long.
pub(crate) async fn answered_at_last<C: Served, T>(
    options: &C::Options,
    what: &str,
    work: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, sqlx::Error> {
    match watched::<C, _>(options, what, Some(answer() * LONG), work).await {
        Ok(answer) => answer,
        Err(silence) => Err(silence.to_error()),
    }
}

/// Lets `work` take any time, as long as the server lets others in. It is told that it does.
pub(crate) async fn while_it_answers<C: Served, T>(
    options: &C::Options,
    what: &str,
    work: impl Future<Output = T>,
) -> Result<T, sqlx::Error> {
    let watched = watched::<C, _>(options, what, None, work).await;
    watched.map_err(|silence| silence.to_error())
}

async fn watched<C: Served, T>(
    options: &C::Options,
    what: &str,
    limit: Option<Duration>,
    work: impl Future<Output = T>,
) -> Result<T, Silence> {
    let (mut work, started) = (pin!(work), Instant::now());
    let mut told = Duration::ZERO;
    loop {
        // A server that has been silent since the beginning is found out when the time of an answer is over:
        // half of it for the work, half of it for being let in.
        if let Ok(done) = tokio::time::timeout(answer() / 2, &mut work).await {
            return Ok(done);
        }
        // The work goes on while others are let in.
        let mut looking = pin!(is_open::<C>(options));
        let looked = poll_fn(|context| match work.as_mut().poll(context) {
            Poll::Ready(done) => Poll::Ready(Ok(done)),
            Poll::Pending => looking.as_mut().poll(context).map(Err),
        });
        let is_open = match looked.await {
            Ok(done) => return Ok(done),
            Err(is_open) => is_open,
        };
        let waited = started.elapsed();
        if !is_open || limit.is_some_and(|limit| waited >= limit) {
            return Err(Silence::new::<C>(options, waited, what));
        }
        if waited >= told + answer() {
            told = waited;
            progress(&format!("{}: waiting for {what}", seconds(waited)));
        }
    }
}

fn seconds(duration: Duration) -> String {
    format!("{} s", (duration.as_secs_f64() * 10.0).round() / 10.0)
}

/// Whether the server lets somebody in, or says why it does not.
async fn is_open<C: Served>(options: &C::Options) -> bool {
    let wait = answer() / 2;
    match tokio::time::timeout(wait, options.connect()).await {
        Ok(Ok(connection)) => {
            let _ = tokio::time::timeout(wait, connection.close()).await;
            true
        }
        Ok(Err(sqlx::Error::Database(_))) => true,
        Ok(Err(_)) | Err(_) => false,
    }
}
