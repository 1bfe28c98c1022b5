//! Transactions of `XA` that a test has prepared and nobody has ended. They outlive their session, and
//! keep the database that they have written to from being dropped; the server does not tell which.
//!
//! On a server of green-light's own on which no other process lives, all of them are left over. On any
//! other they may be anybody's, and are only told of.

use sqlx::{Row as _, mysql::MySqlRow};

use crate::mysql::admin::{AdminConnection, numbers, run};
use crate::mysql::client::Office;

const LIST: &str = "XA RECOVER";

/// At the end of this process: rolls back those that can be nobody else's.
pub(crate) async fn end_left(office: &Office) -> Result<(), sqlx::Error> {
    if !office.is_ours {
        return Ok(());
    }
    let mut front = office.front().await;
    // Whoever has prepared one of these has been entered before, and lives or has left it.
    let left = front.fetch_all(LIST).await?;
    if left.is_empty() || others(&mut front, &office.process).await? > 0 {
        return Ok(());
    }
    for row in &left {
        let end = format!("XA ROLLBACK {}", name(row)?);
        // Somebody who is no process of ours may have ended it meanwhile.
        let _ = run(&mut front, end).await;
    }
    Ok(())
}

/// How many other processes live on the server.
async fn others(front: &mut AdminConnection, process: &str) -> Result<i64, sqlx::Error> {
    let count = format!(
        "SELECT count(*) FROM green_light.processes \
         WHERE run <> '{process}' AND IS_FREE_LOCK(run) = 0"
    );
    let counted = numbers(front, count).await?;
    Ok(counted.into_iter().flatten().sum())
}

/// What to know if a database could not be dropped: that there are such transactions.
pub(crate) async fn told(connection: &mut AdminConnection, error: &sqlx::Error) -> String {
    // Who may not list them learns nothing.
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
