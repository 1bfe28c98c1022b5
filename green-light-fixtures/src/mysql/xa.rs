//! Transactions of `XA` that a test has prepared and not ended. They outlive their session, and keep the database
//! that they have written to from being dropped. The server does not say which database that is.
//!
//! On a server that we started, the one that keeps the database of a test from being dropped when the test has ended
//! is rolled back. When a process begins or ends with no other one on that server, all of them are. Elsewhere they are
//! only reported.

use sqlx::{Row as _, mysql::MySqlRow};

use crate::mysql::admin::{AdminConnection, LONG, names, quoted};
use crate::mysql::errors::{LOCKED, has_one_of};
use crate::mysql::process_name::home_of;
use crate::server::process_home::{Liveness, liveness};

const LIST: &str = "XA RECOVER";
/// A prepared transaction does not end by itself, so there is nothing to wait for.
const SHORT: &str = "SET SESSION lock_wait_timeout = 1, SESSION innodb_lock_wait_timeout = 1";

/// Rolls back all prepared transactions, if no process but `process` is on the server.
pub(crate) async fn roll_back_leftovers(
    admin: &mut AdminConnection,
    process: &str,
) -> Result<(), sqlx::Error> {
    // A process that has prepared one of these was registered before, and still is, or has left it behind.
    let prepared = admin.fetch_all(LIST).await?;
    if prepared.is_empty() || count_others(admin, process).await? > 0 {
        return Ok(());
    }
    for row in &prepared {
        let end = format!("XA ROLLBACK {}", name(row)?);
        // A client that is no process of ours may have ended it meanwhile.
        let _ = admin.run(end).await;
    }
    Ok(())
}

/// The names of all that are prepared, as SQL writes them, if this user may see them.
pub(crate) async fn prepared(admin: &mut AdminConnection) -> Result<Vec<String>, sqlx::Error> {
    match admin.fetch_all(LIST).await {
        Err(sqlx::Error::Database(_)) => Ok(Vec::new()),
        listed => listed?.iter().map(name).collect(),
    }
}

/// Whether there is one prepared transaction, so that it can be known in which database it has written.
pub(crate) async fn is_one_prepared(admin: &mut AdminConnection) -> Result<bool, sqlx::Error> {
    Ok(admin.fetch_all(LIST).await?.len() == 1)
}

/// Drops the database `name`, which no test has any more, on a server that we started. If that is refused, and there is
/// one prepared transaction, that is rolled back: it has written there. Which of several has, the server does not say.
pub(crate) async fn drop_database(
    admin: &mut AdminConnection,
    name: &str,
) -> Result<(), sqlx::Error> {
    let drop = format!("DROP DATABASE IF EXISTS {}", quoted(name));
    let prepared = admin.fetch_all(LIST).await?;
    let [one] = &*prepared else {
        return admin.run_slow(drop).await;
    };
    let dropped = admin.run_slow(format!("{SHORT}; {drop}")).await;
    admin.run(LONG.to_owned()).await?;
    match dropped {
        Err(error) if has_one_of(&error, &LOCKED) => {
            // A client that is no process of ours may have ended it meanwhile.
            let _ = admin.run(format!("XA ROLLBACK {}", self::name(one)?)).await;
            admin.run_slow(drop).await
        }
        dropped => dropped,
    }
}

/// How many other processes of green-light are on the server.
async fn count_others(admin: &mut AdminConnection, process: &str) -> Result<usize, sqlx::Error> {
    let others = format!(
        "SELECT run FROM green_light.processes WHERE run <> '{process}' AND IS_FREE_LOCK(run) = 0"
    );
    // The server may not have noticed yet that one was killed.
    let has_ended = |run: &String| home_of(run).map(liveness) == Some(Liveness::Ended);
    let mut others = names(admin, others).await?;
    others.retain(|run| !has_ended(run));
    Ok(others.len())
}

/// Why a database could not be dropped: prepared transactions may hold it.
pub(crate) async fn explain(connection: &mut AdminConnection, error: &sqlx::Error) -> String {
    // A user who may not list them learns nothing.
    let listed = connection.fetch_all(LIST).await.unwrap_or_default();
    match listed.len() {
        0 => error.to_string(),
        count => format!(
            "{error}; transactions that are prepared and not ended ({count}) may hold it: `{LIST}` lists them, \
             and `XA ROLLBACK` with the name ends one"
        ),
    }
}

/// The name of a transaction, as SQL writes it: two texts in one, and a number.
fn name(row: &MySqlRow) -> Result<String, sqlx::Error> {
    let length = |column: &str| -> Result<usize, sqlx::Error> {
        let length: i64 = row.try_get_unchecked(column)?;
        Ok(usize::try_from(length).unwrap_or_default())
    };
    let (format, first) = (
        row.try_get_unchecked::<i64, _>("formatID")?,
        length("gtrid_length")?,
    );
    let data: Vec<u8> = row.try_get_unchecked("data")?;
    let (first, second) = data.split_at(first.min(data.len()));
    Ok(format!("X'{}',X'{}',{format}", hex(first), hex(second)))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
