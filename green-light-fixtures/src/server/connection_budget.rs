//! How many connections all processes together may have, and who has them.
//!
//! Each connection is a numbered lock on the server, held by the process that has the connection: the
//! server itself counts, and forgets the dead. Invariants:
//!
//! * A process is admitted only if the connections of one test are free besides its own, so as many
//!   remain when all tests have ended: processes never wait for each other in a circle.
//! * Who waits has nothing that others wait for: a process gives up the slots of its sandbox that no test
//!   has, each of which has a connection.
//! * A test takes all its connections before it starts. If it asks for more, for a second engine or its
//!   template, it gets what is there: others may be doing the same, and would wait for each other.
//! * What a test opens itself from `session.url()` is not counted; some connections are left for it.

use std::{
    future::Future,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::MutexGuard;

use crate::backoff::{Backoff, LIMIT};
use crate::env::{invalid_value, value};
use crate::error::{Error, Kind};
use crate::limits::SESSION_CONNECTIONS as PER_TEST;
use crate::sandbox::pool::evict_idle;
use crate::server::admission_lock::AdmissionLock;
use crate::server::background::spawn;
use crate::server::connection_holders::Holding;
use crate::server::response_timeout::check_wait;
use crate::url::DatabaseUrl;

const VARIABLE: &str = "GREEN_LIGHT_CONNECTIONS";

/// A connection that counts connections by locks, which end with it.
pub(crate) trait Counts: Send + Sized + 'static {
    /// The server, in messages.
    const SERVER: &'static str;

    /// Takes the locks of `count` numbers up to `total` that are not `held`, or none.
    ///
    /// The same connection can take a lock twice, so what it holds already must be said.
    fn take(
        &mut self,
        total: i32,
        count: usize,
        held: &[i32],
    ) -> impl Future<Output = Result<Vec<i32>, sqlx::Error>> + Send;

    fn give_back(
        &mut self,
        numbers: &[i32],
    ) -> impl Future<Output = Result<(), sqlx::Error>> + Send;

    /// Who has how many, the most first.
    fn holders(&mut self) -> impl Future<Output = Result<Vec<(String, i64)>, sqlx::Error>> + Send;

    /// Ends the connection, and with it the locks.
    fn close(self) -> impl Future<Output = ()> + Send;

    /// The server did not do as it was told.
    fn failed(what: &str, error: sqlx::Error) -> Error;
}

/// A process that has connected, but may have to leave again.
pub(crate) struct Entered<C, T> {
    pub(crate) front: C,
    /// How many connections the server gives its user.
    pub(crate) connections: i32,
    /// What else was found out.
    pub(crate) facts: T,
}

/// What this process has of the connections to a server.
#[derive(Debug)]
pub(crate) struct Budget<C> {
    /// Holds the locks, and asks whatever is asked of the server as a whole.
    front: tokio::sync::Mutex<C>,
    /// How many connections there are for all.
    total: i32,
    /// How many one test gets.
    per_test: usize,
    /// The numbers that this process has, and those of them that nobody uses yet.
    numbers: Mutex<Numbers>,
}

#[derive(Debug, Default)]
struct Numbers {
    held: Vec<i32>,
    spare: Vec<i32>,
}

impl<C: Counts> Budget<C> {
    /// Enters by `enter` once there is room for this process and one test of it.
    pub(crate) async fn admit<T, F>(
        url: &DatabaseUrl,
        enter: impl Fn() -> F,
    ) -> Result<(Self, T), Error>
    where
        F: Future<Output = Result<Entered<C, T>, Error>>,
    {
        check_wait()?;
        let mut backoff = Backoff::new();
        loop {
            let admission = AdmissionLock::acquire(url).await;
            let Entered {
                mut front,
                connections,
                facts,
            } = enter().await?;
            let total = total(connections)?;
            let per_test = usize::try_from((total - 1).min(PER_TEST as i32)).unwrap_or(1);
            let got = front.take(total, 1 + per_test, &[]).await;
            let mut got = got.map_err(cannot::<C>)?;
            if !got.is_empty() {
                let held = got.clone();
                got.truncate(per_test);
                let numbers = Mutex::new(Numbers { held, spare: got });
                let front = tokio::sync::Mutex::new(front);
                let budget = Self {
                    front,
                    total,
                    per_test,
                    numbers,
                };
                return Ok((budget, facts));
            }
            let told = backoff.should_report();
            let short = match told || backoff.expired() {
                true => Some(short(&mut front, 1 + per_test, total).await?),
                false => None,
            };
            front.close().await;
            drop(admission);
            wait(&mut backoff, short).await?;
        }
    }

    /// The connection that holds the locks.
    pub(crate) async fn front(&self) -> MutexGuard<'_, C> {
        self.front.lock().await
    }

    fn numbers(&self) -> std::sync::MutexGuard<'_, Numbers> {
        self.numbers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many connections a test gets.
    pub(crate) fn per_test(&self) -> u32 {
        u32::try_from(self.per_test).unwrap_or(1)
    }

    /// Takes the connections of `test`, as [`permits`](Self::permits) does. If it has some already, takes what
    /// is there, which may be nothing.
    pub(crate) async fn permits_of(self: &Arc<Self>, test: &str) -> Result<Permits<C>, Error> {
        let mut permits = self
            .permits_if(Holding::may_wait(test), self.per_test())
            .await?;
        permits.holding = Some(Holding::of(test));
        Ok(permits)
    }

    /// Takes `count` connections as [`permits`](Self::permits) does, if whoever wants them `may_wait`; else
    /// takes what is there, which may be nothing.
    pub(crate) async fn permits_if(
        self: &Arc<Self>,
        may_wait: bool,
        count: u32,
    ) -> Result<Permits<C>, Error> {
        if may_wait {
            return self.permits(count).await;
        }
        let mut count = usize::try_from(count).unwrap_or(usize::MAX);
        count = count.min(self.per_test);
        while count > 0 {
            if let Some(permits) = self.try_permits(count).await? {
                return Ok(permits);
            }
            count -= 1;
        }
        Ok(Permits::new(self, Vec::new()))
    }

    /// Takes `count` connections, or as many as a test gets, when there are as many.
    pub(crate) async fn permits(self: &Arc<Self>, count: u32) -> Result<Permits<C>, Error> {
        let count = usize::try_from(count)
            .unwrap_or(usize::MAX)
            .min(self.per_test);
        let mut backoff = Backoff::new();
        loop {
            if let Some(permits) = self.try_permits(count).await? {
                return Ok(permits);
            }
            evict_idle();
            let told = backoff.should_report();
            let short = match told || backoff.expired() {
                true => Some(short(&mut *self.front().await, count, self.total).await?),
                false => None,
            };
            wait(&mut backoff, short).await?;
        }
    }

    /// Takes `count` connections if there are as many.
    pub(crate) async fn try_permits(
        self: &Arc<Self>,
        count: usize,
    ) -> Result<Option<Permits<C>>, Error> {
        let spare = {
            let spare = &mut self.numbers().spare;
            let rest = spare.len().saturating_sub(count);
            spare.split_off(rest)
        };
        let mut taken = Permits::new(self, spare);
        let missing = count - taken.numbers.len();
        if missing == 0 {
            return Ok(Some(taken));
        }
        // Nobody else of ours may take locks before it is written down which are taken.
        let mut front = self.front().await;
        let held = self.numbers().held.clone();
        let got = front.take(self.total, missing, &held).await;
        let got = got.map_err(cannot::<C>)?;
        if got.is_empty() {
            let unused = std::mem::take(&mut taken.numbers);
            self.numbers().spare.extend(unused);
            return Ok(None);
        }
        self.numbers().held.extend(&got);
        drop(front);
        taken.numbers.extend(got);
        Ok(Some(taken))
    }
}

/// The right to some connections, given back when dropped.
#[derive(Debug)]
pub(crate) struct Permits<C: Counts> {
    budget: Arc<Budget<C>>,
    numbers: Vec<i32>,
    /// If they are those of a test.
    holding: Option<Holding>,
}

impl<C: Counts> Permits<C> {
    fn new(budget: &Arc<Budget<C>>, numbers: Vec<i32>) -> Self {
        Self {
            budget: Arc::clone(budget),
            numbers,
            holding: None,
        }
    }

    /// Whether there are some, and none is opened that others do not know of.
    pub(crate) fn is_counted(&self) -> bool {
        !self.numbers.is_empty()
    }

    /// How many connections may be opened: one in any case. If it is not counted, the server has to have it.
    pub(crate) fn connections(&self) -> u32 {
        u32::try_from(self.numbers.len()).unwrap_or(1).max(1)
    }
}

impl<C: Counts> Drop for Permits<C> {
    fn drop(&mut self) {
        let (budget, given) = (Arc::clone(&self.budget), std::mem::take(&mut self.numbers));
        if given.is_empty() {
            return;
        }
        spawn(async move {
            let mut front = budget.front().await;
            // If the server is gone, so are its locks.
            drop(front.give_back(&given).await);
            let mut numbers = budget.numbers();
            numbers.held.retain(|number| !given.contains(number));
        });
    }
}

/// Waits a little for connections, or gives up. `short` says who has them, if that is to be told.
async fn wait(backoff: &mut Backoff, short: Option<Error>) -> Result<(), Error> {
    match short {
        Some(error) if backoff.expired() => return Err(error),
        Some(error) => green_light_core::progress(&error.to_string()),
        None => {}
    }
    backoff.pause(String::new).await;
    Ok(())
}

/// How many connections may be counted out of those the server gives the user.
fn total(connections: i32) -> Result<i32, Error> {
    // For administrators, for pools that tests open themselves, and for processes that wait.
    let free = (connections / 10).clamp(2, 10);
    let mut total = (connections - free).max(2);
    if let Some(wanted) = wanted_connections()? {
        total = total.min(wanted);
    }
    Ok(total)
}

/// How many connections all processes together may have, if that is said.
///
/// # Errors
///
/// When the variable does not hold such a number.
pub(crate) fn wanted_connections() -> Result<Option<i32>, Error> {
    let Some(text) = value(VARIABLE) else {
        return Ok(None);
    };
    let wanted = text.parse::<i32>().ok().filter(|count| *count >= 2);
    wanted.map(Some).ok_or_else(|| {
        let help = "write a number of connections, 2 or more, or unset it";
        invalid_value(VARIABLE, &text, help)
    })
}

fn cannot<C: Counts>(error: sqlx::Error) -> Error {
    C::failed("connections cannot be counted", error)
}

/// There are not enough connections.
async fn short<C: Counts>(front: &mut C, wanted: usize, total: i32) -> Result<Error, Error> {
    let holders = front.holders().await.map_err(cannot::<C>)?;
    let holders: Vec<_> = holders
        .iter()
        .map(|(who, count)| format!("`{who}` ({count})"))
        .collect();
    let text = format!(
        "{} has no {wanted} connections left for a test\n  \
         budget: {total} of all processes\n  held by {}",
        C::SERVER,
        holders.join(", "),
    );
    Ok(Error::new(Kind::Connection, text).help(format!(
        "run fewer tests at once (`--test-threads`), raise `max_connections` of the server, or use \
         `isolation = transaction`, which needs one connection; `{VARIABLE}` lowers the budget; \
         a test waits {} s at most",
        LIMIT.as_secs(),
    )))
}
