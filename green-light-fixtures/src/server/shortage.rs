//! A server that has no connection left, though this process has a place on it.
//!
//! Connections that idle slots of this process have are given up, and then one is waited for as long as tests get on,
//! of this process or of another one of the same user: a look at the sessions of the user tells. What follows is an
//! error that says how many connections are needed.

use std::{
    error, fmt,
    future::Future,
    io,
    sync::{
        OnceLock,
        atomic::{AtomicU32, AtomicUsize, Ordering},
    },
    time::Duration,
};

use green_light_core::Mutex;

use crate::backoff::{Backoff, LIMIT};
use crate::server::server_connection::ServerConnection;

/// How long to wait for a connection while no test gets or returns one, if each one that was waited for came.
const STANDSTILL: Duration = Duration::from_secs(6);

/// Gives up connections of this process that are idle.
static ON_SHORTAGE: OnceLock<fn()> = OnceLock::new();

/// How often tests have got a connection, or returned one.
static STEPS: AtomicUsize = AtomicUsize::new(0);

/// How many connections this process waits for now.
static WAITING: AtomicUsize = AtomicUsize::new(0);

/// How many waits for a connection were in vain.
static IN_VAIN: AtomicU32 = AtomicU32::new(0);

/// How many connections each kind of server gives its user.
static GIVEN: Mutex<Vec<(&str, i32)>> = Mutex::new(Vec::new());

/// Calls `give_up` whenever a connection is waited for: others may be waiting for those that are idle.
pub(crate) fn on_shortage(give_up: fn()) {
    let _ = ON_SHORTAGE.set(give_up);
}

/// Gives up connections of this process that are idle.
pub(crate) fn give_up_idle() {
    if let Some(give_up) = ON_SHORTAGE.get() {
        give_up();
    }
}

/// A test has got a connection, or has returned one.
pub(crate) fn note_step() {
    STEPS.fetch_add(1, Ordering::Relaxed);
}

/// Whether this process waits for a connection.
pub(crate) fn is_waiting() -> bool {
    WAITING.load(Ordering::Relaxed) > 0
}

/// The server gives its user so many connections.
pub(crate) fn note_given<C: ServerConnection>(connections: i32) {
    let mut given = GIVEN.lock();
    given.retain(|(server, _)| *server != C::SERVER);
    given.push((C::SERVER, connections));
}

/// Whether tests get on.
#[derive(Debug)]
pub(crate) struct Progress(usize);

impl Progress {
    pub(crate) fn new() -> Self {
        Self(STEPS.load(Ordering::Relaxed))
    }

    /// Whether one has got or returned a connection since the last look.
    pub(crate) fn was_made(&mut self) -> bool {
        let steps = STEPS.load(Ordering::Relaxed);
        std::mem::replace(&mut self.0, steps) != steps
    }
}

/// How long to wait for a connection while no test gets or returns one: a quarter of the time after the first wait that
/// was in vain, and a quarter of that after the second, so that a process which has too few connections ends
/// soon, however many tests it has.
fn standstill() -> Duration {
    STANDSTILL / 4_u32.pow(IN_VAIN.load(Ordering::Relaxed).min(2))
}

/// Opens something by `open`. While the server has no connection left, gives up those that are idle, and waits as
/// long as tests get on, and no longer than for anything else.
///
/// # Errors
///
/// When there is none, with the number that is needed.
pub(crate) async fn when_free<C, T, F>(open: impl Fn() -> F) -> Result<T, sqlx::Error>
where
    C: ServerConnection,
    F: Future<Output = Result<T, sqlx::Error>>,
{
    let standstill = standstill();
    let (mut backoff, mut progress) = (Backoff::within(standstill), Progress::new());
    let (mut waiting, whole) = (None, Backoff::within(LIMIT));
    loop {
        let error = match open().await {
            Err(error) if C::is_full(&error) => error,
            other => return other,
        };
        waiting.get_or_insert_with(Waiting::new);
        give_up_idle();
        if progress.was_made() {
            backoff.begin_again();
        }
        if backoff.expired() || whole.expired() {
            IN_VAIN.fetch_add(1, Ordering::Relaxed);
            let none = NoConnection {
                waited: Some(standstill),
                ..NoConnection::new::<C>(Some(&error))
            };
            return Err(none.into_error());
        }
        backoff
            .pause(|| format!("the server has no connection left ({error})"))
            .await;
    }
}

/// The same for a process that has no place on the server yet. It has nothing that others could wait for.
pub(crate) async fn when_free_to_enter<C, T, F>(open: impl Fn() -> F) -> Result<T, sqlx::Error>
where
    C: ServerConnection,
    F: Future<Output = Result<T, sqlx::Error>>,
{
    let mut backoff = Backoff::within(LIMIT);
    loop {
        match open().await {
            Err(error) if !backoff.expired() && C::is_full(&error) => {
                backoff
                    .pause(|| format!("the server has no connection left ({error})"))
                    .await;
            }
            other => return other,
        }
    }
}

/// A connection is waited for, as long as this lives.
struct Waiting;

impl Waiting {
    fn new() -> Self {
        WAITING.fetch_add(1, Ordering::Relaxed);
        Self
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        WAITING.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A server gave no connection for too long.
#[derive(Clone, Debug)]
pub(crate) struct NoConnection {
    server: &'static str,
    /// How many it gives, if that is known.
    given: Option<i32>,
    /// How many more are waited for.
    missing: i32,
    /// What the server said, if that is known.
    said: Option<String>,
    /// For how long no test returned one while it was waited for.
    waited: Option<Duration>,
}

impl NoConnection {
    /// What to do about it.
    pub(crate) const HELP: &str = "raise `max_connections` of the server, or the limit that the user or the role \
        has; run fewer tests at once (`--test-threads`), or close what else is connected";

    /// What to do about it where tests open connections themselves.
    const HELP_FOR_POOLS: &str = "let pools that tests open from `session.url()` be small, with `max_connections(2)`: \
        they are not counted in the connections of all tests";

    fn new<C: ServerConnection>(error: Option<&sqlx::Error>) -> Self {
        let given = GIVEN.lock();
        let given = given.iter().find(|(server, _)| *server == C::SERVER);
        Self {
            server: C::SERVER,
            given: given.map(|(_, connections)| *connections),
            missing: i32::try_from(WAITING.load(Ordering::Relaxed)).unwrap_or(1),
            said: error.map(ToString::to_string),
            waited: None,
        }
    }

    /// What `error` holds, if it is this.
    pub(crate) fn of(error: &sqlx::Error) -> Option<&Self> {
        match error {
            sqlx::Error::Io(error) => error.get_ref()?.downcast_ref(),
            _ => None,
        }
    }

    fn into_error(self) -> sqlx::Error {
        sqlx::Error::Io(io::Error::new(io::ErrorKind::QuotaExceeded, self))
    }
}

impl fmt::Display for NoConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            server,
            given,
            missing,
            said,
            waited,
        } = self;
        match given {
            Some(given) => write!(
                f,
                "{server} gives this user {given} connections, and the tests that run now need {} or more: \
                 all were in use",
                given + missing.max(&1)
            )?,
            None => write!(f, "all connections of {server} were in use")?,
        }
        if let Some(waited) = waited {
            let seconds = waited.as_secs_f32();
            write!(f, ", and no test returned one for {seconds:.1} s")?;
        }
        match said {
            Some(said) => write!(f, " ({said})"),
            None => Ok(()),
        }
    }
}

impl error::Error for NoConnection {}

/// What it means that a server has refused a connection of a test with `error`, if that is known: how many are needed,
/// and what to do. Nothing if it has refused it for another reason.
pub(crate) fn refusal<C: ServerConnection>(error: Option<&sqlx::Error>) -> Option<String> {
    if error.is_some_and(|error| !C::is_full(error)) {
        return None;
    }
    let none = NoConnection::new::<C>(error);
    let (pools, help) = (NoConnection::HELP_FOR_POOLS, NoConnection::HELP);
    Some(format!("{none}\n  help: {pools}; {help}"))
}

/// The same about a connection that green-light has not waited for.
pub(crate) fn refused<C: ServerConnection>() -> String {
    format!("{}: {}", NoConnection::new::<C>(None), NoConnection::HELP)
}
