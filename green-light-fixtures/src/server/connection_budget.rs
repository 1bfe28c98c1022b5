//! How many connections all processes together may have, and who has them.
//!
//! Each connection is a numbered lock on the server, held by the process that has the connection: the
//! server itself counts, and forgets processes that are gone. Invariants:
//!
//! * A process is admitted only if the connections of one test are free besides its own, so as many
//!   remain when all tests have ended: processes never wait for each other in a circle.
//! * A test that waits holds nothing that others wait for: its process gives up the idle slots of its sandbox,
//!   each of which has a connection.
//! * A test takes all its connections before it starts. If it asks for more, for a second engine or its
//!   template, it must not wait: two such tests could wait for each other, on this server or on two. It takes
//!   what is free, or opens one connection that is not counted.
//! * What the tests of a process share stays until the process ends, which another process may wait for. So
//!   beside it, a test waits only for another test of its own process.
//! * Connections that a test opens itself from `session.url()` are not counted; some are left for it.

use std::{
    future::Future,
    sync::{Arc, OnceLock},
};

use green_light_core::Mutex;
use tokio::sync::MutexGuard;

use crate::backoff::{Backoff, LIMIT};
use crate::driver::traits::ALL_TESTS;
use crate::env::{invalid_value, value};
use crate::error::{Error, Kind};
use crate::limits::SESSION_CONNECTIONS as PER_TEST;
use crate::server::admission_lock::AdmissionLock;
use crate::server::background::spawn;
use crate::server::driver::{Admin, ConnectionLocks, Entered};
use crate::server::response_timeout::check_wait;
use crate::server::server_connection::ServerConnection as _;
use crate::url::DatabaseUrl;

const VARIABLE: &str = "GREEN_LIGHT_CONNECTIONS";

/// Gives up connections of this process that are idle.
static ON_SHORTAGE: OnceLock<fn()> = OnceLock::new();

/// Calls `give_up` whenever a test waits for connections: others may be waiting for those that are idle.
pub(crate) fn on_shortage(give_up: fn()) {
    let _ = ON_SHORTAGE.set(give_up);
}

/// What this process has of the connections to a server.
#[derive(Debug)]
pub(crate) struct ConnectionBudget<D: ConnectionLocks> {
    /// Holds the locks, and asks what is asked of the server as a whole.
    admin: tokio::sync::Mutex<Admin<D>>,
    /// How many connections there are for all.
    total: i32,
    /// How many one test gets.
    per_test: usize,
    /// The numbers that this process has, and those of them that are not in use yet.
    numbers: Mutex<Numbers>,
}

#[derive(Debug, Default)]
struct Numbers {
    held: Vec<i32>,
    spare: Vec<i32>,
}

impl<D: ConnectionLocks> ConnectionBudget<D> {
    /// Connects by `enter` once there is room for this process and one test of it.
    pub(crate) async fn admit<F>(
        url: &DatabaseUrl,
        enter: impl Fn() -> F,
    ) -> Result<(Self, D), Error>
    where
        F: Future<Output = Result<Entered<D>, Error>>,
    {
        check_wait()?;
        let mut backoff = Backoff::new();
        loop {
            let admission = AdmissionLock::acquire(url).await;
            let Entered {
                driver,
                mut admin,
                connections,
            } = enter().await?;
            let total = total(connections)?;
            let per_test = usize::try_from((total - 1).min(PER_TEST as i32)).unwrap_or(1);
            let got = D::lock(&mut admin, total, 1 + per_test, &[]).await;
            let mut got = got.map_err(cannot::<D>)?;
            if !got.is_empty() {
                let held = got.clone();
                got.truncate(per_test);
                let budget = Self {
                    admin: tokio::sync::Mutex::new(admin),
                    total,
                    per_test,
                    numbers: Mutex::new(Numbers { held, spare: got }),
                };
                return Ok((budget, driver));
            }
            let shortage = match is_due(&mut backoff) {
                true => Some(shortage::<D>(&mut admin, 1 + per_test, total).await?),
                false => None,
            };
            admin.close().await;
            drop(admission);
            wait(&mut backoff, shortage).await?;
        }
    }

    /// The connection that holds the locks.
    pub(crate) async fn admin(&self) -> MutexGuard<'_, Admin<D>> {
        self.admin.lock().await
    }

    /// How many connections a test gets.
    pub(crate) fn per_test(&self) -> u32 {
        u32::try_from(self.per_test).unwrap_or(1)
    }

    /// Takes the connections of `test` when there are as many. If it has some already, takes what is free, which
    /// may be nothing.
    pub(crate) async fn permits_of(
        self: &Arc<Self>,
        test: &str,
    ) -> Result<ConnectionPermits<D>, Error> {
        let mut permits = self.permits_if(may_wait(test), self.per_test()).await?;
        permits.holding = Some(ConnectionHolder::new(test));
        Ok(permits)
    }

    /// Takes `count` connections, or as many as a test gets, when there are as many. If the test may not wait, takes
    /// what is free, which may be nothing.
    pub(crate) async fn permits_if(
        self: &Arc<Self>,
        may_wait: bool,
        count: u32,
    ) -> Result<ConnectionPermits<D>, Error> {
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        let count = count.min(self.per_test);
        if !may_wait {
            for count in (1..=count).rev() {
                if let Some(permits) = self.try_permits(count).await? {
                    return Ok(permits);
                }
            }
            return Ok(ConnectionPermits::new(self, Vec::new()));
        }
        let mut backoff = Backoff::new();
        loop {
            if let Some(permits) = self.try_permits(count).await? {
                return Ok(permits);
            }
            if let Some(give_up) = ON_SHORTAGE.get() {
                give_up();
            }
            let shortage = match is_due(&mut backoff) {
                true => Some(shortage::<D>(&mut *self.admin().await, count, self.total).await?),
                false => None,
            };
            wait(&mut backoff, shortage).await?;
        }
    }

    /// Takes `count` connections if there are as many.
    pub(crate) async fn try_permits(
        self: &Arc<Self>,
        count: usize,
    ) -> Result<Option<ConnectionPermits<D>>, Error> {
        let spare = {
            let spare = &mut self.numbers.lock().spare;
            let rest = spare.len().saturating_sub(count);
            spare.split_off(rest)
        };
        let mut taken = ConnectionPermits::new(self, spare);
        let missing = count - taken.numbers.len();
        if missing == 0 {
            return Ok(Some(taken));
        }
        // No other task of this process may take locks before these are noted.
        let mut admin = self.admin().await;
        let held = self.numbers.lock().held.clone();
        let got = D::lock(&mut admin, self.total, missing, &held).await;
        let got = got.map_err(cannot::<D>)?;
        if got.is_empty() {
            let unused = std::mem::take(&mut taken.numbers);
            self.numbers.lock().spare.extend(unused);
            return Ok(None);
        }
        self.numbers.lock().held.extend(&got);
        drop(admin);
        taken.numbers.extend(got);
        Ok(Some(taken))
    }
}

/// The right to some connections, released when dropped.
#[derive(Debug)]
pub(crate) struct ConnectionPermits<D: ConnectionLocks> {
    budget: Arc<ConnectionBudget<D>>,
    numbers: Vec<i32>,
    /// If they are those of a test.
    holding: Option<ConnectionHolder>,
}

impl<D: ConnectionLocks> ConnectionPermits<D> {
    fn new(budget: &Arc<ConnectionBudget<D>>, numbers: Vec<i32>) -> Self {
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

impl<D: ConnectionLocks> Drop for ConnectionPermits<D> {
    fn drop(&mut self) {
        let (budget, given) = (Arc::clone(&self.budget), std::mem::take(&mut self.numbers));
        if given.is_empty() {
            return;
        }
        spawn(async move {
            let mut admin = budget.admin().await;
            // If the server is gone, so are its locks.
            drop(D::unlock(&mut admin, &given).await);
            let mut numbers = budget.numbers.lock();
            numbers.held.retain(|number| !given.contains(number));
        });
    }
}

/// The paths of the tests of this process that have connections of a server, once for each time that they got some.
static HOLDERS: Mutex<Vec<Arc<str>>> = Mutex::new(Vec::new());

/// A test has connections of a server, as long as this lives.
#[derive(Debug)]
pub(crate) struct ConnectionHolder(Arc<str>);

impl ConnectionHolder {
    pub(crate) fn new(test: &str) -> Self {
        let test: Arc<str> = test.into();
        HOLDERS.lock().push(Arc::clone(&test));
        Self(test)
    }

    /// Whether any test has some.
    pub(crate) fn is_any() -> bool {
        !HOLDERS.lock().is_empty()
    }
}

impl Drop for ConnectionHolder {
    fn drop(&mut self) {
        let mut tests = HOLDERS.lock();
        if let Some(at) = tests.iter().position(|known| *known == self.0) {
            tests.swap_remove(at);
        }
    }
}

/// Whether `test` may wait for connections: not if it has some already.
pub(crate) fn may_wait(test: &str) -> bool {
    let tests = HOLDERS.lock();
    let is_shared = |known: &&Arc<str>| ***known == *ALL_TESTS;
    let shares = tests.iter().any(|known| is_shared(&known));
    let others = tests.iter().any(|known| !is_shared(&known));
    !tests.iter().any(|known| **known == *test) && (!shares || others)
}

/// Whether it is time to say who has the connections.
fn is_due(backoff: &mut Backoff) -> bool {
    backoff.should_report() || backoff.expired()
}

/// Waits a little for connections, or gives up. `shortage` says who has them, if it is time to print that.
async fn wait(backoff: &mut Backoff, shortage: Option<Error>) -> Result<(), Error> {
    match shortage {
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

fn cannot<D: ConnectionLocks>(error: sqlx::Error) -> Error {
    D::failed("connections cannot be counted", error)
}

/// There are not enough connections.
async fn shortage<D: ConnectionLocks>(
    admin: &mut Admin<D>,
    wanted: usize,
    total: i32,
) -> Result<Error, Error> {
    let holders = D::holders(admin).await.map_err(cannot::<D>)?;
    let holders: Vec<_> = holders
        .iter()
        .map(|(who, count)| format!("`{who}` ({count})"))
        .collect();
    let text = format!(
        "{} has no {wanted} connections left for a test\n  \
         budget: {total} of all processes\n  held by {}",
        D::Connection::SERVER,
        holders.join(", "),
    );
    Ok(Error::new(Kind::Connection, text).help(format!(
        "run fewer tests at once (`--test-threads`), raise `max_connections` of the server, or use \
         `isolation = transaction`, which needs one connection; `{VARIABLE}` lowers the budget; \
         a test waits {} s at most",
        LIMIT.as_secs(),
    )))
}
