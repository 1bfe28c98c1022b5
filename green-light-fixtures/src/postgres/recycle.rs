//! How a database of the sandbox becomes ready for another slot.
//!
//! Nothing was ever committed to it. Its sequences are reset by the connection that has the last transaction of
//! the slot: if it cannot do that, the database is dropped.

use std::time::Duration;

use sqlx::{Executor as _, PgPool};

use crate::postgres::admin::AdminConnection;
use crate::postgres::server::PostgresServer;
use crate::server::background::Background;
use crate::server::driver::Recycling;
use crate::server::query_ext::QueryExt as _;

/// How often to look whether the connection has come back from the last test.
const PAUSE: Duration = Duration::from_micros(200);

/// Only if fewer than so many of its template are ready.
const RECYCLE: &str = "WITH room AS (SELECT $3 - count(*) AS room FROM green_light.database \
      WHERE state IN ('free', 'making') AND test IS NULL \
        AND template = (SELECT template FROM green_light.database WHERE name = $1)) \
    UPDATE green_light.database SET state = 'free', owner = NULL, test = NULL, \
      since = clock_timestamp() FROM room \
    WHERE name = $1 AND state = 'taken' AND owner = $2 AND template <> '' AND room > 0";

impl Recycling for PostgresServer {
    async fn end_session(pool: &PgPool) -> Result<(), sqlx::Error> {
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

    async fn recycle(&self, admin: &mut AdminConnection, name: &str) -> Result<bool, sqlx::Error> {
        let recycled = sqlx::query(RECYCLE)
            .bind(name)
            .bind(self.key)
            .bind(Background::max_ready())
            .execute_with(admin)
            .await?;
        Ok(recycled.rows_affected() == 1)
    }
}
