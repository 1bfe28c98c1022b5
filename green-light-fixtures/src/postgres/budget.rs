//! How many connections all processes together may have, and who has them.
//!
//! Each connection is a numbered advisory lock in the maintenance database, held by the process that
//! has the connection: the server itself counts, and forgets the dead. Invariants:
//!
//! * A process is admitted only if the connections of one test are free besides its own, so as many
//!   remain when all tests have ended: processes never wait for each other in a circle.
//! * A test takes all its connections before it starts.
//! * What a test opens itself from `session.url()` is not counted; some connections are left for it.

use std::{
    env,
    sync::{Arc, Mutex, PoisonError},
};

use sqlx::{PgConnection, Row as _, postgres::PgConnectOptions};

use super::{
    connect::{LIMIT, Waiting, failed},
    office::{Office, close},
    registry::{self, CONNECTIONS, Facts},
};
use crate::{
    database::CONNECTIONS as PER_TEST,
    error::{Error, Kind},
};

const VARIABLE: &str = "GREEN_LIGHT_CONNECTIONS";

#[derive(Debug)]
pub(super) struct Budget {
    /// How many connections there are for all.
    total: i32,
    /// How many one test gets.
    per_test: i32,
    /// The numbers that this process has, and those of them that nobody uses yet.
    numbers: Mutex<Numbers>,
}

#[derive(Debug, Default)]
struct Numbers {
    held: Vec<i32>,
    spare: Vec<i32>,
}

impl Budget {
    /// Connects to the maintenance database once there is room for this process and one test of it.
    pub(super) async fn admit(
        options: &PgConnectOptions,
        application: &str,
    ) -> Result<(PgConnection, PgConnectOptions, Facts, Self), Error> {
        let mut waiting = Waiting::new();
        loop {
            let (mut front, maintenance) = registry::open(options, application).await?;
            let cannot = |error| failed("the server does not say what it is", error);
            let facts = registry::facts(&mut front).await.map_err(cannot)?;
            let total = total(facts.connections)?;
            let per_test = i32::try_from(PER_TEST).unwrap_or(1).min(total - 1);
            let cannot = |error| failed("connections cannot be counted", error);
            let mut got = take(&mut front, total, 1 + per_test, &[])
                .await
                .map_err(cannot)?;
            if !got.is_empty() {
                let held = got.clone();
                got.truncate(got.len() - 1);
                let numbers = Mutex::new(Numbers { held, spare: got });
                let budget = Self {
                    total,
                    per_test,
                    numbers,
                };
                return Ok((front, maintenance, facts, budget));
            }
            let holders = if waiting.is_worth_it() && !waiting.is_to_be_told() {
                None
            } else {
                Some(holders(&mut front).await.map_err(cannot)?)
            };
            close(front).await;
            match holders {
                Some(holders) if !waiting.is_worth_it() => {
                    return Err(short(1 + per_test, total, &holders));
                }
                Some(holders) => {
                    green_light_core::progress(&short(1 + per_test, total, &holders).to_string());
                }
                None => {}
            }
            waiting.pause(String::new).await;
        }
    }

    fn numbers(&self) -> std::sync::MutexGuard<'_, Numbers> {
        self.numbers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many connections a test gets.
    pub(super) fn per_test(&self) -> u32 {
        u32::try_from(self.per_test).unwrap_or(1)
    }

    /// Takes `count` connections, all or none, when there are as many.
    pub(super) async fn permits(office: &Arc<Office>, count: u32) -> Result<Permits, Error> {
        let count = i32::try_from(count)
            .unwrap_or(i32::MAX)
            .min(office.budget.per_test);
        let mut waiting = Waiting::new();
        loop {
            if let Some(permits) = Self::try_permits(office, count).await? {
                return Ok(permits);
            }
            let told = waiting.is_to_be_told();
            if told || !waiting.is_worth_it() {
                let mut front = office.front.lock().await;
                let holders = holders(&mut front)
                    .await
                    .map_err(|error| failed("connections cannot be counted", error))?;
                let error = short(count, office.budget.total, &holders);
                if !waiting.is_worth_it() {
                    return Err(error);
                }
                green_light_core::progress(&error.to_string());
            }
            waiting.pause(String::new).await;
        }
    }

    /// Takes `count` connections if there are as many.
    pub(super) async fn try_permits(
        office: &Arc<Office>,
        count: i32,
    ) -> Result<Option<Permits>, Error> {
        let budget = &office.budget;
        let wanted = usize::try_from(count).unwrap_or(usize::MAX);
        {
            let mut numbers = budget.numbers();
            if numbers.spare.len() >= wanted {
                let rest = numbers.spare.len() - wanted;
                let taken = numbers.spare.split_off(rest);
                return Ok(Some(Permits::new(office, taken)));
            }
        }
        // Locks can be taken twice by one session, so no other task of ours may do so meanwhile.
        let mut front = office.front.lock().await;
        let held = budget.numbers().held.clone();
        let got = take(&mut front, budget.total, count, &held)
            .await
            .map_err(|error| failed("connections cannot be counted", error))?;
        drop(front);
        if got.is_empty() {
            return Ok(None);
        }
        budget.numbers().held.extend(&got);
        Ok(Some(Permits::new(office, got)))
    }
}

/// The right to some connections, given back when dropped.
#[derive(Debug)]
pub(super) struct Permits {
    office: Arc<Office>,
    numbers: Vec<i32>,
}

impl Permits {
    fn new(office: &Arc<Office>, numbers: Vec<i32>) -> Self {
        Self {
            office: Arc::clone(office),
            numbers,
        }
    }
}

impl Drop for Permits {
    fn drop(&mut self) {
        let (office, given) = (Arc::clone(&self.office), std::mem::take(&mut self.numbers));
        Office::spawn(async move {
            let mut front = office.front.lock().await;
            let freed = sqlx::query("SELECT pg_advisory_unlock($1, n) FROM unnest($2::int[]) n")
                .bind(CONNECTIONS)
                .bind(&given)
                .execute(&mut *front)
                .await;
            // If the server is gone, so are its locks.
            drop(freed);
            let mut numbers = office.budget.numbers();
            numbers.held.retain(|number| !given.contains(number));
        });
    }
}

/// Takes `count` numbers up to `total`, or none.
async fn take(
    front: &mut PgConnection,
    total: i32,
    count: i32,
    held: &[i32],
) -> Result<Vec<i32>, sqlx::Error> {
    // The limit ends the scan, so no lock is tried for that is not needed; `OFFSET 0` keeps what is
    // held out of the way first.
    let got: Vec<i32> = sqlx::query_scalar(
        "SELECT n FROM (SELECT n FROM generate_series(1, $2) n WHERE n <> ALL ($4) OFFSET 0) free \
         WHERE pg_try_advisory_lock($1, n) LIMIT $3",
    )
    .bind(CONNECTIONS)
    .bind(total)
    .bind(i64::from(count))
    .bind(held)
    .fetch_all(&mut *front)
    .await?;
    if i32::try_from(got.len()).unwrap_or(i32::MAX) >= count {
        return Ok(got);
    }
    sqlx::query("SELECT pg_advisory_unlock($1, n) FROM unnest($2::int[]) n")
        .bind(CONNECTIONS)
        .bind(&got)
        .execute(front)
        .await?;
    Ok(Vec::new())
}

/// How many connections may be counted out of those the server gives the role.
fn total(connections: i32) -> Result<i32, Error> {
    // For administrators, for pools that tests open themselves, and for processes that wait.
    let free = (connections / 10).clamp(2, 10);
    let mut total = (connections - free).max(2);
    match env::var(VARIABLE) {
        Ok(text) if !text.trim().is_empty() => {
            let wanted = text.trim().parse::<i32>().ok().filter(|count| *count >= 2);
            let wanted = wanted.ok_or_else(|| {
                Error::new(
                    Kind::Configuration,
                    format!("`{VARIABLE}={text}` is not understood"),
                )
                .help("write a number of connections, 2 or more, or unset it")
            })?;
            total = total.min(wanted);
        }
        _ => {}
    }
    Ok(total)
}

/// Who has how many connections, the most first.
async fn holders(front: &mut PgConnection) -> Result<String, sqlx::Error> {
    let rows = sqlx::query(
        "SELECT coalesce(nullif(a.application_name, ''), 'process ' || l.pid), count(*) \
         FROM pg_locks l LEFT JOIN pg_stat_activity a ON a.pid = l.pid \
         WHERE l.locktype = 'advisory' AND l.classid = $1::oid AND l.objsubid = 2 AND l.granted \
           AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()) \
         GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 8",
    )
    .bind(i64::from(CONNECTIONS))
    .fetch_all(front)
    .await?;
    let mut shown = Vec::new();
    for row in rows {
        let (who, count): (String, i64) = (row.try_get(0)?, row.try_get(1)?);
        shown.push(format!("`{who}` ({count})"));
    }
    Ok(shown.join(", "))
}

/// There are not enough connections.
fn short(wanted: i32, total: i32, holders: &str) -> Error {
    let text = format!(
        "PostgreSQL has no {wanted} connections left for a test\n  \
         budget: {total} of all processes\n  held by {holders}"
    );
    Error::new(Kind::Connection, text).help(format!(
        "run fewer tests at once (`--test-threads`), raise `max_connections` of the server, or use \
         `isolation = transaction`, which needs one connection; `{VARIABLE}` lowers the budget; \
         a test waits {} s at most",
        LIMIT.as_secs(),
    ))
}
