//! Databases of the sandbox on their way back into stock, for whichever process comes next.
//!
//! Nothing was ever committed to them, and nobody was told where they are. Their sequences are put back,
//! by the connection that has their last transaction: if it cannot do that, they are dropped.

use std::time::Duration;

use sqlx::{Executor as _, PgPool};

use crate::postgres::client::Office;
use crate::server::background::Background;
use crate::server::parked::Rested;
use crate::server::query_ext::QueryExt as _;

/// How long one may take. A connection belongs to the runtime that made it, which may be gone.
const WAIT: Duration = Duration::from_secs(1);
/// How often to look whether the connection has come back from the last test.
const PAUSE: Duration = Duration::from_micros(200);

/// As many as there is room for, of the same template.
const BACK: &str = "WITH room AS (SELECT $3 - count(*) AS room FROM green_light.database \
      WHERE state IN ('free', 'making') AND test IS NULL \
        AND template = (SELECT template FROM green_light.database WHERE name = $1)) \
    UPDATE green_light.database SET state = 'free', owner = NULL, test = NULL, \
      since = clock_timestamp() FROM room \
    WHERE name = $1 AND state = 'taken' AND owner = $2 AND template <> '' AND room > 0";

/// Gives the database `name` back. `false` if it is to be dropped.
pub(crate) async fn give(office: &Office, name: &str, rested: Rested<PgPool>) -> bool {
    let rewound = tokio::time::timeout(WAIT, rewind(&rested.pool)).await;
    // Nobody gets a connection from here on, and whoever had one has been seen.
    drop(rested.pool.close());
    if !matches!(rewound, Ok(Ok(()))) || !rested.guard.is_spotless() {
        return false;
    }
    let given = sqlx::query(BACK)
        .bind(name)
        .bind(office.key)
        .bind(Background::most())
        .execute_with(&mut *office.front().await)
        .await;
    given.is_ok_and(|given| given.rows_affected() == 1)
}

/// At the end of the process: gives back all that rest.
pub(crate) async fn give_all(office: &Office) {
    for (name, rested) in office.resting.take_all() {
        give(office, &name, rested).await;
    }
}

async fn rewind(pool: &PgPool) -> Result<(), sqlx::Error> {
    let mut connection = loop {
        // Runs no callback of the pool.
        match pool.try_acquire() {
            Some(connection) => break connection,
            None if pool.size() == 0 => return Err(sqlx::Error::PoolClosed),
            None => tokio::time::sleep(PAUSE).await,
        }
    };
    connection
        .execute("SELECT green_light.rewind(); ROLLBACK")
        .await?;
    connection.close().await
}
