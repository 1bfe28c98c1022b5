//! Drops what is left over, in batches, one janitor at a time on a server.
//!
//! Left over is: a database whose test has ended; one whose process no longer holds its lock; a
//! template that nobody has used for a while. Nothing that is not entered is ever dropped, whatever
//! its name.

use std::sync::Arc;

use crate::error::Error;
use crate::mysql::admin::{AdminConnection, lock, numbers, run};
use crate::mysql::client::Office;
use crate::mysql::copy::quoted;
use crate::mysql::errors::failed;
use crate::mysql::registry::JANITOR;
use crate::mysql::{registry, xa};
use crate::server::background::Background;
use crate::server::reaper_pass::Round;

/// What dead processes said of themselves.
const DEAD: &str = "DELETE FROM green_light.processes WHERE IS_FREE_LOCK(run) = 1; \
    DELETE FROM green_light.template_uses WHERE IS_FREE_LOCK(run) = 1";

/// Free databases of templates that nobody has used for a while, and those that are too many.
const SHELF: &str = "SELECT name FROM (SELECT name, digest, \
    row_number() OVER (PARTITION BY digest, state ORDER BY since DESC) AS place \
    FROM green_light.test_databases WHERE state IN ('free', 'used')) free \
    WHERE place > {MOST} OR digest NOT IN (SELECT digest FROM \
    (SELECT digest FROM green_light.templates ORDER BY used DESC LIMIT 4) recent)";

/// Done with, or without a living owner. Whoever makes a database holds the lock of its name: the
/// server may go on with a statement of a process that is gone.
const LEFT: &str = "SELECT name FROM green_light.test_databases WHERE state = 'done' \
    OR (state IN ('making', 'ahead', 'taken') \
    AND IS_FREE_LOCK(run) = 1 AND IS_FREE_LOCK(name) = 1) ORDER BY since, number";

/// Templates that nobody has used for a while.
const OLD_TEMPLATES: &str = "SELECT digest FROM green_light.templates \
    WHERE used < now(6) - INTERVAL 1 HOUR AND digest NOT IN (SELECT digest FROM \
    (SELECT digest FROM green_light.templates ORDER BY used DESC LIMIT 12) recent)";

/// At the end of the process, which is done with all that it has.
pub(crate) async fn last(office: &Arc<Office>) {
    let done = format!(
        "UPDATE green_light.test_databases SET state = 'done' WHERE run = '{0}' AND state = 'taken'; \
         DELETE FROM green_light.template_uses WHERE run = '{0}'; \
         DELETE FROM green_light.processes WHERE run = '{0}'",
        office.process
    );
    let mut front = office.front().await;
    let _ = run(&mut front, done).await;
    if front.timed_out().is_some() {
        return;
    }
    drop(front);
    // What is prepared on a server that is gone, or that does not let it be seen, stays.
    let _ = xa::end_left(office).await;
    Round::last(|at_least| async move {
        // Mostly there is nothing to be done that is worth a connection.
        match worth(office).await {
            Ok(few) if few < at_least => Round::Done,
            _ => sweep(office, at_least).await,
        }
    })
    .await;
}

/// How many are left over on the server.
async fn worth(office: &Office) -> Result<usize, sqlx::Error> {
    let count = format!(
        "SELECT (SELECT count(*) FROM ({LEFT}) l) + (SELECT count(*) FROM ({}) s)",
        shelf()
    );
    let counted = numbers(&mut *office.front().await, count).await?;
    Ok(usize::try_from(counted.into_iter().flatten().sum::<i64>()).unwrap_or_default())
}

fn shelf() -> String {
    SHELF.replace("{MOST}", &Background::most().to_string())
}

/// Waits until few enough databases of this process are left over, and helps.
pub(crate) async fn make_room(office: &Arc<Office>) -> Result<(), Error> {
    let backlog = &office.background.backlog;
    backlog
        .make_room(|| left(office), || sweep(office, 1))
        .await
}

/// How many databases of this process wait to be dropped.
async fn left(office: &Office) -> Result<i64, Error> {
    let count = format!(
        "SELECT count(*) FROM green_light.test_databases WHERE run = '{}' AND state = 'done'",
        office.process
    );
    let counted = numbers(&mut *office.front().await, count).await;
    counted
        .map(|counted| counted.into_iter().flatten().sum())
        .map_err(|error| failed("databases that wait to be dropped cannot be counted", error))
}

/// Drops what is left over if that is `at_least` so many, unless somebody else does.
pub(crate) async fn sweep(office: &Arc<Office>, at_least: usize) -> Round {
    Round::of(try_sweep(office, at_least)).await
}

async fn try_sweep(office: &Arc<Office>, at_least: usize) -> Result<Round, Error> {
    let Some(permit) = office.budget.try_permits(1).await? else {
        return Ok(Round::NoConnection);
    };
    let cannot = |error| failed("leftovers cannot be looked for", error);
    let mut connection = AdminConnection::connect_when_free(&office.options)
        .await
        .map_err(cannot)?;
    let swept = clean(&mut connection, at_least).await;
    connection.close().await;
    drop(permit);
    swept.map_err(cannot)
}

async fn clean(connection: &mut AdminConnection, at_least: usize) -> Result<Round, sqlx::Error> {
    if !lock(connection, JANITOR).await? {
        return Ok(Round::Elsewhere);
    }
    let clear_shelf = format!(
        "{DEAD}; UPDATE green_light.test_databases SET state = 'done' \
         WHERE state IN ('free', 'used') AND name IN (SELECT name FROM ({}) shelf)",
        shelf()
    );
    run(connection, clear_shelf).await?;
    let found = registry::names(connection, LEFT.to_owned()).await?;
    if found.len() < at_least {
        return Ok(Round::Done);
    }
    let mut round = Round::Done;
    for name in found {
        // The look at the list and that at the locks are not one: meanwhile it may have become a
        // template, and its builder have gone.
        let still = format!("SELECT name FROM ({LEFT}) l WHERE name = '{name}'");
        if registry::names(connection, still).await?.is_empty() {
            continue;
        }
        // One that somebody with more rights is connected to must not keep the others: they come
        // first the next time.
        if let Err(error) = discard(connection, &name).await {
            round = Round::Refused(xa::told(connection, &error).await);
            registry::becomes(connection, &name, "done").await?;
        }
    }
    for digest in registry::names(connection, OLD_TEMPLATES.to_owned()).await? {
        if let Some(name) = retire(connection, &digest).await?
            && let Err(error) = discard(connection, &name).await
        {
            round = Round::Refused(error.to_string());
        }
    }
    Ok(round)
}

/// Takes the template `digest` off the list, unless it is used again meanwhile: its name is that of a
/// database like any other then.
async fn retire(
    connection: &mut AdminConnection,
    digest: &str,
) -> Result<Option<String>, sqlx::Error> {
    run(connection, "START TRANSACTION".to_owned()).await?;
    // Who finds a template changes its row, and so waits here, or makes this wait.
    let unused = format!(
        "SELECT name FROM green_light.templates WHERE digest = '{digest}' \
         AND used < now(6) - INTERVAL 1 HOUR \
         AND NOT EXISTS (SELECT 1 FROM green_light.template_uses u WHERE u.digest = '{digest}') \
         AND NOT EXISTS (SELECT 1 FROM green_light.test_databases d WHERE d.digest = '{digest}') \
         FOR UPDATE"
    );
    let Some(name) = registry::names(connection, unused).await?.pop() else {
        run(connection, "ROLLBACK".to_owned()).await?;
        return Ok(None);
    };
    let retire = format!(
        "INSERT INTO green_light.test_databases (name, digest, state) \
         VALUES ('{name}', '{digest}', 'done'); \
         DELETE FROM green_light.templates WHERE digest = '{digest}'; COMMIT"
    );
    run(connection, retire).await?;
    Ok(Some(name))
}

/// Drops a database that is entered, whoever is still connected.
async fn discard(connection: &mut AdminConnection, name: &str) -> Result<(), sqlx::Error> {
    registry::clear(connection, name).await?;
    let drop = format!(
        "DROP DATABASE IF EXISTS {}; DELETE FROM green_light.test_databases WHERE name = '{name}'",
        quoted(name)
    );
    connection.execute_slow(sqlx::AssertSqlSafe(drop)).await
}
