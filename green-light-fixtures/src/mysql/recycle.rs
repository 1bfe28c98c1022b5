//! Databases of the sandbox on their way back into stock, for the sandbox of whichever process comes next.
//!
//! Nothing was ever committed to them, and nobody was told where they are. What their tables count is
//! put back.

use std::time::Duration;

use sqlx::{AssertSqlSafe, MySqlPool, Row as _};

use crate::mysql::admin::{AdminConnection, numbers, run};
use crate::mysql::client::Office;
use crate::mysql::copy::quoted;
use crate::server::background::Background;
use crate::server::parked::Rested;

/// How long its last connection may take to end.
const WAIT: Duration = Duration::from_secs(1);
/// Numbers of tables are kept for a day by MySQL, unless it is told not to. MariaDB knows nothing of that.
const FRESH: &str =
    "SET @green_light = 0 /*!80001 , SESSION information_schema_stats_expiry = 0 */";

/// Gives the database `name` back. `false` if it is to be dropped.
pub(crate) async fn give(office: &Office, name: &str, rested: Rested<MySqlPool>) -> bool {
    // Nobody gets a connection from here on, and whoever had one has been seen.
    let closed = tokio::time::timeout(WAIT, rested.pool.close()).await;
    if closed.is_err() || !rested.guard.is_spotless() {
        return false;
    }
    let given = try_give(&mut *office.front().await, &office.process, name).await;
    given.unwrap_or(false)
}

/// At the end of the process: gives back all that rest.
pub(crate) async fn give_all(office: &Office) {
    for (name, rested) in office.resting.take_all() {
        give(office, &name, rested).await;
    }
}

async fn try_give(
    front: &mut AdminConnection,
    process: &str,
    name: &str,
) -> Result<bool, sqlx::Error> {
    let room = format!(
        "SELECT count(*) FROM green_light.test_databases d JOIN green_light.test_databases own \
         ON own.digest = d.digest WHERE own.name = '{name}' AND d.state IN ('free', 'used', 'ahead')"
    );
    let ready = numbers(front, room).await?;
    if ready.into_iter().flatten().sum::<i64>() >= Background::most() {
        return Ok(false);
    }
    rewind(front, name).await?;
    let give = format!(
        "UPDATE green_light.test_databases SET state = 'used', run = NULL, since = now(6) \
         WHERE name = '{name}' AND run = '{process}' AND state = 'taken' AND digest <> ''"
    );
    let given = front.execute(AssertSqlSafe(give)).await?;
    Ok(given.rows_affected() == 1)
}

/// Numbers that tables give themselves go on counting whatever is rolled back.
async fn rewind(front: &mut AdminConnection, name: &str) -> Result<(), sqlx::Error> {
    let moved = format!(
        "{FRESH}; SELECT d.table_name, t.auto_increment FROM information_schema.tables d \
         JOIN information_schema.tables t ON t.table_name = d.table_name \
         WHERE d.table_schema = '{name}' AND d.auto_increment IS NOT NULL \
         AND t.table_schema = (SELECT p.name FROM green_light.templates p \
           JOIN green_light.test_databases b ON b.digest = p.digest WHERE b.name = '{name}') \
         AND NOT d.auto_increment <=> t.auto_increment"
    );
    for row in front.fetch_all(AssertSqlSafe(moved)).await? {
        let table: String = row.try_get_unchecked(0)?;
        let next: u64 = row.try_get_unchecked(1)?;
        let (name, table) = (quoted(name), quoted(&table));
        run(
            front,
            format!("ALTER TABLE {name}.{table} AUTO_INCREMENT = {next}"),
        )
        .await?;
    }
    Ok(())
}
