//! How many connections all processes together may have, and who has them.
//!
//! Each connection is a numbered lock on the server, held by the process that has the connection: the
//! server itself counts, and forgets processes that are gone. Invariants:
//!
//! * A process is admitted only if the connections of one test are free besides its own, so as many
//!   remain when all tests have ended: processes never wait for each other in a circle.
//! * A test that waits holds nothing that others wait for: its process gives up the idle slots of its sandbox,
//!   each of which has a connection.
//! * The connection that holds the locks may end, as by an administrator. It is opened again, and takes the locks
//!   again, before it is used for anything else; a process looks for that all the time (`clients.rs`).
//! * A test takes all its connections before it starts. If it asks for more, for a second engine or its
//!   template, it must not wait long: two such tests could wait for each other, on this server or on two. It takes
//!   what is free, or opens one connection beyond the budget, which the server has to have. Few tests at a time do
//!   that: one has a number beyond the budget for it, and another one waits for such a number as long as tests get on,
//!   for without one it could take the connection that this test needs to end.
//! * What the tests of a process share stays until the process ends, which another process may wait for. So
//!   beside it, a test waits only as long as another test of its own process has connections, and then takes what
//!   is free: one such test at a time has connections that are not counted.
//! * A test that waits for its turn in a shared database may have connections. So who has the turn does not wait for
//!   them.
//! * A pool of sqlx opens a connection when it is first needed, and fails if the server then has none. Where there are few,
//!   a test's pool opens all that the test has before it starts.
//! * Connections that a test opens itself from `session.url()` are not counted; some are left for it.

use std::{
    future::Future,
    io::ErrorKind,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use green_light_core::{Mutex, progress, wait_for};
use tokio::sync::MutexGuard;

use crate::backoff::{Backoff, LIMIT};
use crate::driver::traits::ALL_TESTS;
use crate::env::{invalid_value, value};
use crate::error::{Error, Kind};
use crate::limits::SESSION_CONNECTIONS as PER_TEST;
use crate::server::admin_connection::AdminConnection;
use crate::server::admission_lock::AdmissionLock;
use crate::server::background::spawn;
use crate::server::driver::{Admin, Entered, ServerDriver};
use crate::server::response_timeout::check_wait;
use crate::server::server_connection::ServerConnection as _;
use crate::server::shortage::{Progress, give_up_idle, note_given, note_step};
use crate::url::DatabaseUrl;

const VARIABLE: &str = "GREEN_LIGHT_CONNECTIONS";

/// How long a server may take no connections while it is started again.
const RESTART: Duration = Duration::from_secs(10);
/// After how much of that it is reported, and how long to wait before the next attempt after one that failed.
const PATIENCE: Duration = Duration::from_secs(1);
/// How long the database that tests share waits for connections of other tests, which may wait for it.
const SHARED_WAIT: Duration = Duration::from_secs(1);
/// The fewest connections that a server has to give its user: one that holds the locks, two of a test, and one by
/// which databases are made and dropped.
const FEWEST: i32 = 4;

/// With how many connections for all, those that are not counted may be more than are left for them.
const TIGHT: i32 = 20;

/// How long a test waits for a number beyond the budget while no test of this process gets on.
const STANDSTILL: Duration = Duration::from_secs(2);

/// What this process has of the connections to a server.
#[derive(Debug)]
pub(crate) struct ConnectionBudget<D: ServerDriver> {
    driver: Arc<D>,
    /// Whether a server that has ended is not started again.
    is_ours: bool,
    /// Whether the process is about to end, so that no connection is opened again.
    is_closing: AtomicBool,
    /// When the connection could not be opened again, if that was the last time.
    failed: Mutex<Option<Instant>>,
    /// Holds the locks, and asks what is asked of the server as a whole.
    admin: tokio::sync::Mutex<Admin<D>>,
    /// How many connections there are for all.
    total: i32,
    /// Up to which number those are that tests have beyond them.
    beyond: i32,
    /// How many one test gets.
    per_test: usize,
    /// Whether they were not enough for all once.
    was_short: AtomicBool,
    /// The numbers that this process has, and those of them that are not in use yet.
    numbers: Mutex<Numbers>,
}

#[derive(Debug, Default)]
struct Numbers {
    held: Vec<i32>,
    spare: Vec<i32>,
    /// Others have these locks now, or no one has: they ended with a connection. Permits may still name them.
    lost: Vec<i32>,
}

impl Numbers {
    /// Those of `given` whose locks this process still has.
    fn without_lost(&mut self, mut given: Vec<i32>) -> Vec<i32> {
        given.retain(|number| {
            let at = self.lost.iter().position(|lost| lost == number);
            at.map(|at| self.lost.swap_remove(at)).is_none()
        });
        given
    }
}

impl<D: ServerDriver> ConnectionBudget<D> {
    /// Connects by `enter` once there is room for this process and one test of it.
    pub(crate) async fn admit<F>(
        url: &DatabaseUrl,
        is_ours: bool,
        enter: impl Fn() -> F,
    ) -> Result<Self, Error>
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
            if connections < FEWEST {
                admin.close().await;
                return Err(too_few::<D>(connections));
            }
            note_given::<D::Connection>(connections);
            let total = total(connections)?;
            let per_test = usize::try_from((total - 1).min(PER_TEST as i32)).unwrap_or(1);
            let got = D::lock(&mut admin, total, 1 + per_test, &[]).await;
            let mut got = got.map_err(cannot::<D>)?;
            if !got.is_empty() {
                let held = got.clone();
                got.truncate(per_test);
                return Ok(Self {
                    driver: Arc::new(driver),
                    is_ours,
                    is_closing: AtomicBool::new(false),
                    failed: Mutex::default(),
                    admin: tokio::sync::Mutex::new(admin),
                    total,
                    beyond: (connections - 1).max(total + 1),
                    per_test,
                    was_short: AtomicBool::new(false),
                    numbers: Mutex::new(Numbers {
                        held,
                        spare: got,
                        lost: Vec::new(),
                    }),
                });
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

    pub(crate) fn driver(&self) -> &Arc<D> {
        &self.driver
    }

    /// The connection that holds the locks. If it has ended, another one is opened and takes them again.
    ///
    /// If that fails, every query on what this returns fails for the same reason.
    pub(crate) async fn admin(&self) -> MutexGuard<'_, Admin<D>> {
        let mut admin = self.admin.lock().await;
        if !admin.replies().await {
            self.reopen(&mut admin).await;
        }
        admin
    }

    /// The connection is not opened again from here on.
    pub(crate) fn close(&self) {
        self.is_closing.store(true, Ordering::Release);
    }

    fn is_closing(&self) -> bool {
        self.is_closing.load(Ordering::Acquire)
    }

    async fn reopen(&self, admin: &mut Admin<D>) {
        let failed = *self.failed.lock();
        let is_due = failed.is_none_or(|failed| failed.elapsed() >= PATIENCE);
        if self.is_closing() || !is_due {
            return;
        }
        let held = self.numbers.lock().held.clone();
        let opened = async {
            let patience = match failed {
                None if !self.is_ours => RESTART,
                _ => Duration::ZERO,
            };
            let mut opened = self.connect_again(patience).await?;
            self.driver.end_former(&mut opened, &held).await?;
            self.driver.note_losses(&mut opened).await?;
            self.driver.register(&mut opened).await?;
            let got = D::lock_again(&mut opened, &held).await?;
            Ok::<_, sqlx::Error>((opened, got))
        };
        match opened.await {
            Ok((opened, got)) => {
                *admin = opened;
                *self.failed.lock() = None;
                let mut numbers = self.numbers.lock();
                let (kept, lost) = held.iter().partition(|number| got.contains(number));
                let lost: Vec<i32> = lost;
                numbers.held = kept;
                numbers.spare.retain(|number| !lost.contains(number));
                numbers.lost.extend(lost);
                drop(numbers);
                progress(&format!(
                    "{} had ended the connection by which this process is known; it is open again",
                    D::Connection::place(self.driver.admin_options()),
                ));
                // Their connections have mostly ended as well.
                give_up_idle();
            }
            Err(error) => {
                *self.failed.lock() = Some(Instant::now());
                admin.give_up(&error);
            }
        }
    }

    /// Connects. A server that is being started again refuses that for a while.
    async fn connect_again(&self, patience: Duration) -> Result<Admin<D>, sqlx::Error> {
        let (begun, options) = (Instant::now(), self.driver.admin_options());
        let mut is_reported = false;
        loop {
            match AdminConnection::connect_when_free(options).await {
                Err(sqlx::Error::Io(error))
                    if error.kind() != ErrorKind::TimedOut
                        && begun.elapsed() < patience
                        && !self.is_closing() => {}
                other => return other,
            }
            if !is_reported && begun.elapsed() >= PATIENCE {
                is_reported = true;
                progress(&format!(
                    "{} takes no connections; waiting for {} s at most until it is started again",
                    D::Connection::place(options),
                    patience.as_secs(),
                ));
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Whether the server may have none for a test by the time it opens one that is counted, since there are some that
    /// are not: so few are left for those.
    pub(crate) fn is_tight(&self) -> bool {
        self.total <= TIGHT || self.was_short.load(Ordering::Relaxed)
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
        let holder = || ConnectionHolder::new(test);
        let (mut permits, holding) = self
            .permits_or(self.per_test(), test, || may_wait(test))
            .await?;
        permits.holding = Some(holding.unwrap_or_else(holder));
        Ok(permits)
    }

    /// Takes a connection for a slot of the sandbox. What is returned besides says that `test` has it, as
    /// long as it is being opened.
    pub(crate) async fn permits_of_slot(
        self: &Arc<Self>,
        test: &str,
    ) -> Result<(ConnectionPermits<D>, ConnectionHolder), Error> {
        let (permits, holding) = self.permits_or(1, test, || may_wait(test)).await?;
        Ok((
            permits,
            holding.unwrap_or_else(|| ConnectionHolder::new(test)),
        ))
    }

    /// Takes as many connections as a test gets, to build a template: all, or if a test has some already, what is
    /// free, which may be nothing.
    pub(crate) async fn permits_of_template(
        self: &Arc<Self>,
    ) -> Result<ConnectionPermits<D>, Error> {
        let may_wait = || match ConnectionHolder::is_any() {
            true => Wait::No(None),
            false => Wait::Long,
        };
        let builder = "the building of a template";
        let permits = self.permits_or(self.per_test(), builder, may_wait);
        Ok(permits.await?.0)
    }

    /// Takes `count` connections for `test` when there are as many. As soon as `may_wait` says no, takes what is free.
    async fn permits_or(
        self: &Arc<Self>,
        count: u32,
        test: &str,
        may_wait: impl Fn() -> Wait,
    ) -> Result<(ConnectionPermits<D>, Option<ConnectionHolder>), Error> {
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        let count = count.min(self.per_test);
        let (mut backoff, begun) = (Backoff::new(), Instant::now());
        let mut waiting = None;
        loop {
            if let Some(permits) = self.try_permits(count).await? {
                return Ok((permits, None));
            }
            self.was_short.store(true, Ordering::Relaxed);
            waiting.get_or_insert_with(|| wait_for("a connection of the server").of(test));
            let holding = match may_wait() {
                Wait::Long => None,
                Wait::Short if begun.elapsed() < SHARED_WAIT => None,
                Wait::Short => Some(None),
                Wait::No(holding) => Some(holding),
            };
            if let Some(holding) = holding {
                for count in (1..count).rev() {
                    if let Some(permits) = self.try_permits(count).await? {
                        return Ok((permits, holding));
                    }
                }
                return Ok((self.beyond(test).await?, holding));
            }
            give_up_idle();
            let shortage = match is_due(&mut backoff) {
                true => Some(shortage::<D>(&mut *self.admin().await, count, self.total).await?),
                false => None,
            };
            wait(&mut backoff, shortage).await?;
        }
    }

    /// A connection beyond the budget, for which `test` gets a number unless it has one. If there is none, it goes
    /// without one once tests stand still.
    async fn beyond(self: &Arc<Self>, test: &str) -> Result<ConnectionPermits<D>, Error> {
        let mut permits = ConnectionPermits::new(self, Vec::new());
        // What tests share stays, so a number for it would be one less for all.
        if *test == *ALL_TESTS || BEYOND.lock().iter().any(|known| **known == *test) {
            return Ok(permits);
        }
        let (mut backoff, mut progress) = (Backoff::within(STANDSTILL), Progress::new());
        loop {
            let mut admin = self.admin().await;
            let held = self.numbers.lock().held.clone();
            let got = D::lock(&mut admin, self.beyond, 1, &held).await;
            let got = got.map_err(cannot::<D>)?;
            self.numbers.lock().held.extend(&got);
            drop(admin);
            let (counted, beyond): (Vec<_>, Vec<_>) =
                got.into_iter().partition(|number| *number <= self.total);
            permits.numbers = counted;
            permits.beyond = BeyondBudget::of(test, &beyond);
            if progress.was_made() {
                backoff.begin_again();
            }
            if permits.is_counted() || permits.beyond.is_some() || backoff.expired() {
                return Ok(permits);
            }
            give_up_idle();
            backoff.pause_silently().await;
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
pub(crate) struct ConnectionPermits<D: ServerDriver> {
    budget: Arc<ConnectionBudget<D>>,
    numbers: Vec<i32>,
    /// Its test has connections beyond those that all count.
    beyond: Option<BeyondBudget>,
    /// If they are those of a test.
    holding: Option<ConnectionHolder>,
}

impl<D: ServerDriver> ConnectionPermits<D> {
    fn new(budget: &Arc<ConnectionBudget<D>>, numbers: Vec<i32>) -> Self {
        Self {
            budget: Arc::clone(budget),
            numbers,
            beyond: None,
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

impl<D: ServerDriver> Drop for ConnectionPermits<D> {
    fn drop(&mut self) {
        let (budget, mut given) = (Arc::clone(&self.budget), std::mem::take(&mut self.numbers));
        given.extend(self.beyond.take().map(|beyond| beyond.number));
        if given.is_empty() {
            return;
        }
        spawn(async move {
            let mut admin = budget.admin().await;
            let given = budget.numbers.lock().without_lost(given);
            // If the server is gone, so are its locks.
            drop(D::unlock(&mut admin, &given).await);
            let mut numbers = budget.numbers.lock();
            numbers.held.retain(|number| !given.contains(number));
        });
    }
}

/// The tests of this process that have a number beyond the budget.
static BEYOND: Mutex<Vec<Arc<str>>> = Mutex::new(Vec::new());

/// A test has a number beyond the budget, as long as this lives.
#[derive(Debug)]
struct BeyondBudget {
    test: Arc<str>,
    number: i32,
}

impl BeyondBudget {
    fn of(test: &str, numbers: &[i32]) -> Option<Self> {
        let number = *numbers.first()?;
        let test: Arc<str> = test.into();
        BEYOND.lock().push(Arc::clone(&test));
        Some(Self { test, number })
    }
}

impl Drop for BeyondBudget {
    fn drop(&mut self) {
        let mut beyond = BEYOND.lock();
        if let Some(at) = beyond.iter().position(|known| *known == self.test) {
            beyond.swap_remove(at);
        }
    }
}

/// The tests of this process that have something of a server, once for each time that they got it.
static HOLDERS: Mutex<Vec<Holding>> = Mutex::new(Vec::new());

/// What a test has of a server.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Holding {
    /// Its path.
    test: Arc<str>,
    /// It has its turn in a database that others share, and so no connections of its own; or it stands for all tests
    /// that share one, whose connections stay.
    is_shared: bool,
}

/// A test has something of a server, as long as this lives.
#[derive(Debug)]
pub(crate) struct ConnectionHolder(Holding);

impl ConnectionHolder {
    /// `test` has connections.
    pub(crate) fn new(test: &str) -> Self {
        Self::note(test, *test == *ALL_TESTS)
    }

    /// `test` has its turn in a database that others share.
    pub(crate) fn turn(test: &str) -> Self {
        Self::note(test, true)
    }

    fn note(test: &str, is_shared: bool) -> Self {
        let test = test.into();
        let holding = Holding { test, is_shared };
        HOLDERS.lock().push(holding.clone());
        note_step();
        Self(holding)
    }

    /// Whether any test has something.
    pub(crate) fn is_any() -> bool {
        !HOLDERS.lock().is_empty()
    }
}

impl Drop for ConnectionHolder {
    fn drop(&mut self) {
        note_step();
        let mut holders = HOLDERS.lock();
        if let Some(at) = holders.iter().position(|known| *known == self.0) {
            holders.swap_remove(at);
        }
    }
}

/// Whether a test may wait for connections.
#[derive(Debug)]
enum Wait {
    Long,
    Short,
    /// It is noted as one that has connections, unless it was before.
    No(Option<ConnectionHolder>),
}

/// Whether `test` may wait for connections: not if it has some already.
fn may_wait(test: &str) -> Wait {
    let mut holders = HOLDERS.lock();
    if holders.iter().any(|known| *known.test == *test) {
        return Wait::No(None);
    }
    let others = holders.iter().any(|known| !known.is_shared);
    let shares = holders.iter().any(|known| *known.test == *ALL_TESTS);
    match (*test == *ALL_TESTS, others, shares) {
        (true, true, _) => return Wait::Short,
        (_, true, _) | (_, _, false) => return Wait::Long,
        (_, false, true) => {}
    }
    // No other test may come to the same conclusion meanwhile.
    let holding = Holding {
        test: test.into(),
        is_shared: false,
    };
    holders.push(holding.clone());
    Wait::No(Some(ConnectionHolder(holding)))
}

/// Whether it is time to say who has the connections.
fn is_due(backoff: &mut Backoff) -> bool {
    backoff.should_report() || backoff.expired()
}

/// Waits a little for connections, or gives up. `shortage` says who has them, if it is time to print that.
async fn wait(backoff: &mut Backoff, shortage: Option<Error>) -> Result<(), Error> {
    match shortage {
        Some(error) if backoff.expired() => return Err(error),
        Some(error) => progress(&error.to_string()),
        None => {}
    }
    backoff.pause_silently().await;
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

fn cannot<D: ServerDriver>(error: sqlx::Error) -> Error {
    D::failed("connections cannot be counted", error)
}

/// The server gives its user so few connections that no test could run.
fn too_few<D: ServerDriver>(connections: i32) -> Error {
    let text = format!(
        "{} gives this user {connections} connections, and green-light needs {FEWEST}",
        D::Connection::SERVER,
    );
    Error::new(Kind::Connection, text)
        .help("raise `max_connections` of the server, or the limit that the user or the role has")
}

/// There are not enough connections.
async fn shortage<D: ServerDriver>(
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
