//! Databases made from a template ahead of the tests that want them, for all processes together.
//!
//! A test takes one that is free, or makes one if there is none; either way another is then made in
//! the background. What a test had is done with when its claim is dropped; the janitor drops it.

use std::sync::Arc;

use crate::error::Error;
use crate::mysql::admin::{AdminConnection, numbers, unlock};
use crate::mysql::client::Office;
use crate::mysql::database_lease::Claim;
use crate::mysql::errors::failed;
use crate::mysql::template::Pattern;
use crate::mysql::{reaper, registry};
use crate::server::background::{Background, on_own_runtime, spawn};
use crate::server::connection_holders::Holding;
use crate::server::names::new_name;

/// Who wants a database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum For {
    /// A test that may commit to it.
    Test(String),
    /// A slot of the sandbox, which may have one that another slot has had. A test is the first to have it.
    Slot(String),
}

impl For {
    /// The states from which it may be taken, the one to be preferred first.
    fn takes(&self) -> &'static str {
        match self {
            Self::Test(_) => "'free'",
            Self::Slot(_) => "'used', 'free'",
        }
    }

    /// How many are to be ready.
    fn enough(&self) -> i64 {
        match self {
            Self::Test(_) => Background::target(),
            Self::Slot(_) => Background::SPARE,
        }
    }
}

/// Takes a free database of `pattern`, or makes one, with the right to connect to it.
pub(crate) async fn claim(
    office: &Arc<Office>,
    pattern: &Arc<Pattern>,
    whose: For,
) -> Result<Claim, Error> {
    let (office, pattern) = (Arc::clone(office), Arc::clone(pattern));
    on_own_runtime(async move {
        reaper::make_room(&office).await?;
        let permits = match &whose {
            For::Test(test) => office.budget.permits_of(test).await?,
            For::Slot(test) => office.budget.permits_if(Holding::may_wait(test), 1).await?,
        };
        let free = take(
            &mut *office.front().await,
            &office.process,
            &pattern,
            &whose,
        )
        .await;
        let (name, left) = match free.map_err(|error| failed("no database can be taken", error))? {
            Some(taken) => taken,
            None => (make_now(&office, &pattern).await?, 0),
        };
        if left < whose.enough() {
            replenish(&office, &pattern, whose);
        }
        Ok(Claim::new(office, name, permits))
    })
    .await
}

async fn take(
    front: &mut AdminConnection,
    process: &str,
    pattern: &Pattern,
    whose: &For,
) -> Result<Option<(String, i64)>, sqlx::Error> {
    let states = whose.takes();
    let free = format!(
        "SELECT name FROM green_light.test_databases WHERE digest = '{}' AND state IN ({states}) \
         ORDER BY field(state, {states}), number",
        pattern.digest
    );
    let free = registry::names(front, free).await?;
    let mut left = i64::try_from(free.len()).unwrap_or(i64::MAX);
    for name in free {
        left -= 1;
        let take = format!(
            "UPDATE green_light.test_databases SET state = 'taken', run = '{process}', \
             since = now(6) WHERE name = '{name}' AND state IN ({states})"
        );
        // Another process may be faster.
        let taken = front.execute(sqlx::AssertSqlSafe(take)).await?;
        if taken.rows_affected() == 1 {
            return Ok(Some((name, left)));
        }
    }
    Ok(None)
}

async fn make_now(office: &Office, pattern: &Pattern) -> Result<String, Error> {
    let cannot = |error| failed("a database cannot be made from the template", error);
    // The connections of the test are not open yet, so this is one of them.
    let mut connection = AdminConnection::connect_when_free(&office.options)
        .await
        .map_err(cannot)?;
    let made = make(office, &mut connection, pattern, "making", "taken").await;
    connection.close().await;
    made.map_err(cannot)
}

/// Makes a database, which is in one state while it is made and in another one then.
async fn make(
    office: &Office,
    connection: &mut AdminConnection,
    pattern: &Pattern,
    making: &str,
    made: &str,
) -> Result<String, sqlx::Error> {
    let name = new_name("d");
    let script = pattern.script(connection).await?;
    registry::enter(connection, &name, &pattern.digest, making, &office.process).await?;
    script.make(connection, &name, &pattern.name).await?;
    registry::becomes(connection, &name, made).await?;
    unlock(connection, &name).await?;
    Ok(name)
}

/// Makes databases of a template in the background until enough are free.
fn replenish(office: &Arc<Office>, pattern: &Arc<Pattern>, whose: For) {
    let (office, pattern) = (Arc::clone(office), Arc::clone(pattern));
    if !office.background.replenishes(&pattern.digest) {
        return;
    }
    spawn(async move {
        let busy = office.background.busy().await;
        // What cannot be made ahead is made when a test wants it, and an error is told then.
        let _ = fill_up(&office, &pattern, &whose).await;
        drop(busy);
        office.background.replenished(&pattern.digest);
    });
}

async fn fill_up(office: &Arc<Office>, pattern: &Pattern, whose: &For) -> Result<(), Error> {
    let cannot = |error| failed("no database can be made ahead", error);
    if !is_short(office, pattern, whose).await.map_err(cannot)? {
        return Ok(());
    }
    let Some(permit) = office.budget.try_permits(1).await? else {
        return Ok(());
    };
    let mut connection = AdminConnection::connect_when_free(&office.options)
        .await
        .map_err(cannot)?;
    let filled = async {
        let is_due = || !office.background.is_closing() && !office.background.backlog.is_full();
        while is_due() && is_short(office, pattern, whose).await? {
            make(office, &mut connection, pattern, "ahead", "free").await?;
        }
        Ok(())
    };
    let filled = filled.await;
    connection.close().await;
    drop(permit);
    filled.map_err(cannot)
}

async fn is_short(office: &Office, pattern: &Pattern, whose: &For) -> Result<bool, sqlx::Error> {
    let ready = format!(
        "SELECT count(*) FROM green_light.test_databases \
         WHERE digest = '{}' AND state IN ('ahead', {})",
        pattern.digest,
        whose.takes()
    );
    let ready = numbers(&mut *office.front().await, ready).await?;
    Ok(ready.into_iter().flatten().sum::<i64>() < whose.enough())
}
