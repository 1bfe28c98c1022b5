//! Drops garbage, in batches, one process at a time on a server.
//!
//! Garbage is a database whose test has ended, one whose process is gone, and a template that no process has
//! used for a while. Only what is in the registry, or bears our mark, is ever dropped, whatever its name.
//!
//! A server drops databases more slowly than it creates them, and each takes several megabytes of its disk. So
//! a test of a process that has left much garbage helps to drop it before it gets another database; if that does
//! not help, the test fails and says why.

use std::{
    collections::VecDeque,
    fmt,
    time::{Duration, Instant},
};

use futures_util::future::{join, join_all};
use green_light_core::Mutex;

use crate::backoff::Backoff;
use crate::error::{Error, Kind};
use crate::server::background::Background;
use crate::server::client::ServerClient;
use crate::server::driver::{Admin, ServerDriver};

/// How long one pass may take. Its lock keeps all other processes from dropping anything.
const PASS: Duration = Duration::from_secs(30);
/// How long to wait for a pass of another process.
const AGAIN: Duration = Duration::from_millis(20);
/// How many passes of our own may change nothing.
const PASSES: usize = 3;
/// How many databases are worth one more connection to drop them, and how many such there are at most.
const PER_CONNECTION: usize = 3;
const HELPERS: usize = 5;
/// How long a test waits while neither the garbage of its process nor that of all becomes less.
const LIMIT: Duration = Duration::from_secs(60);

/// What one pass came to.
#[derive(Debug)]
enum Pass {
    /// All garbage is dropped.
    Done,
    /// Another process has the lock.
    Elsewhere,
    /// There is no connection for it.
    NoConnection,
    /// It took too long.
    Late,
    /// Some was not dropped, or nothing could be done at all: the last error.
    Refused(String),
}

impl fmt::Display for Pass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Done => f.write_str("they are being dropped"),
            Self::Elsewhere => f.write_str("another process is dropping databases"),
            Self::NoConnection => f.write_str("there is no connection left to do so"),
            Self::Late => write!(f, "that takes longer than {} s", PASS.as_secs()),
            Self::Refused(error) => f.write_str(error),
        }
    }
}

/// Drops the garbage on the server if there are `at_least` so many databases, unless another process does.
pub(crate) async fn reap<D: ServerDriver>(client: &ServerClient<D>, at_least: usize) {
    pass(client, at_least).await;
}

async fn pass<D: ServerDriver>(client: &ServerClient<D>, at_least: usize) -> Pass {
    match tokio::time::timeout(PASS, try_pass(client, at_least)).await {
        Ok(Ok(pass)) => pass,
        Ok(Err(error)) => Pass::Refused(format!("{error:?}")),
        Err(_) => Pass::Late,
    }
}

async fn try_pass<D: ServerDriver>(
    client: &ServerClient<D>,
    at_least: usize,
) -> Result<Pass, Error> {
    let Some(permits) = client.budget.try_permits(1).await? else {
        return Ok(Pass::NoConnection);
    };
    let cannot = |error| D::failed("leftovers cannot be looked for", error);
    let mut admin = client.driver.connect().await.map_err(cannot)?;
    let pass = clean(client, &mut admin, at_least).await;
    admin.close().await;
    drop(permits);
    pass.map_err(cannot)
}

async fn clean<D: ServerDriver>(
    client: &ServerClient<D>,
    admin: &mut Admin<D>,
    at_least: usize,
) -> Result<Pass, sqlx::Error> {
    let driver = &*client.driver;
    if !D::lock_reaper(admin).await? {
        return Ok(Pass::Elsewhere);
    }
    let garbage = driver.list_garbage(admin).await?;
    if garbage.len() < at_least {
        return Ok(Pass::Done);
    }
    let mut pass = drop_all(client, admin, garbage).await?;
    let templates = driver.retire_templates(admin).await?;
    if let refused @ Pass::Refused(_) = drop_all(client, admin, templates).await? {
        pass = refused;
    }
    Ok(pass)
}

/// Drops the databases `names` by as many connections as are free and worth it: a server spends most of the time
/// for it on removing files.
async fn drop_all<D: ServerDriver>(
    client: &ServerClient<D>,
    admin: &mut Admin<D>,
    names: Vec<String>,
) -> Result<Pass, sqlx::Error> {
    let helpers = (names.len() / PER_CONNECTION).min(HELPERS);
    let names = Mutex::new(names.into_iter().collect::<VecDeque<_>>());
    let helping = (0..helpers).map(async |_| help_to_drop(client, &names).await);
    let (pass, helped) = join(drop_each(client, admin, &names), join_all(helping)).await;
    let refused = helped.into_iter().flatten();
    Ok(refused.fold(pass?, |_, refused| refused))
}

/// Drops databases beside the connection that has the lock. What was not dropped, if it was refused.
async fn help_to_drop<D: ServerDriver>(
    client: &ServerClient<D>,
    names: &Mutex<VecDeque<String>>,
) -> Option<Pass> {
    let permits = client.budget.try_permits(1).await.ok()??;
    let mut admin = client.driver.connect().await.ok()?;
    let pass = match D::bound_drops(&mut admin).await {
        Ok(()) => drop_each(client, &mut admin, names).await.ok(),
        Err(_) => None,
    };
    admin.close().await;
    drop(permits);
    pass.filter(|pass| matches!(pass, Pass::Refused(_)))
}

async fn drop_each<D: ServerDriver>(
    client: &ServerClient<D>,
    admin: &mut Admin<D>,
    names: &Mutex<VecDeque<String>>,
) -> Result<Pass, sqlx::Error> {
    let (driver, mut pass) = (&*client.driver, Pass::Done);
    loop {
        let Some(name) = ({ names.lock().pop_front() }) else {
            return Ok(pass);
        };
        if let Err(error) = driver.drop_database(admin, &name).await {
            pass = Pass::Refused(driver.explain_refusal(admin, &error).await);
            // One that cannot be dropped must not keep the others from being dropped.
            driver.mark_garbage(admin, &name).await?;
        }
    }
}

/// Drops what processes have left that were killed, if it is worth a connection.
pub(crate) async fn reap_leftovers<D: ServerDriver>(client: &ServerClient<D>) {
    let at_least = Background::batch_at_exit();
    let garbage = client.driver.list_garbage(&mut *client.admin().await).await;
    if garbage.is_ok_and(|garbage| garbage.len() >= at_least) {
        let guard = client.background.work_guard().await;
        pass(client, at_least).await;
        drop(guard);
    }
}

/// At the end of the process, which needs none of its databases any more.
pub(crate) async fn reap_at_exit<D: ServerDriver>(client: &ServerClient<D>) {
    let mut admin = client.admin().await;
    let _ = client.driver.release_all(&mut admin).await;
    if admin.timed_out().is_some() {
        return;
    }
    drop(admin);
    // The only process of a run goes again while another pass is under way, which may not have seen the latest
    // garbage. Many processes leave it to each other.
    let at_least = Background::batch_at_exit();
    loop {
        // Mostly there is nothing to do that is worth a connection.
        let garbage = client.driver.list_garbage(&mut *client.admin().await).await;
        if garbage.is_ok_and(|garbage| garbage.len() < at_least) {
            return;
        }
        if !matches!(pass(client, at_least).await, Pass::Elsewhere) || at_least > 1 {
            return;
        }
        tokio::time::sleep(AGAIN).await;
    }
}

/// Waits until this process has left so little garbage that another database may be created, and helps.
pub(crate) async fn throttle<D: ServerDriver>(client: &ServerClient<D>) -> Result<(), Error> {
    let backlog = &client.background.backlog;
    if !backlog.is_full() {
        return Ok(());
    }
    let cannot = |error| D::failed("databases that wait to be dropped cannot be counted", error);
    let (mut backoff, mut fewest, mut fruitless) = (Backoff::new(), (i64::MAX, i64::MAX), 0);
    let mut since = Instant::now();
    loop {
        let mut admin = client.admin().await;
        let left = client.driver.count_garbage(&mut admin).await;
        drop(admin);
        let (own, all) = left.map_err(cannot)?;
        let left = usize::try_from(own).unwrap_or(usize::MAX);
        backlog.set_garbage(left);
        if !backlog.is_full() {
            return Ok(());
        }
        let pass = pass(client, 1).await;
        // It does not matter who drops databases, and whose.
        if own < fewest.0 || all < fewest.1 {
            fewest = (own.min(fewest.0), all.min(fewest.1));
            (fruitless, since) = (0, Instant::now());
        } else if matches!(pass, Pass::Refused(_)) {
            fruitless += 1;
        }
        if fruitless >= PASSES || since.elapsed() >= LIMIT {
            return Err(stuck(left, &pass));
        }
        if !matches!(pass, Pass::Done) {
            backoff
                .pause(|| format!("{left} databases of this process wait to be dropped: {pass}"))
                .await;
        }
    }
}

fn stuck(left: usize, pass: &Pass) -> Error {
    let text =
        format!("{left} databases of this process could not be dropped, so no more are made");
    Error::new(Kind::Connection, text)
        .help(
            "look at the cause; a server drops no database while one of its sessions waits for a \
             client that does not read, or while somebody with more rights is connected to it",
        )
        .because(pass.to_string())
}
