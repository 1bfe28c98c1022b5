//! Connections counted by numbered advisory locks in the maintenance database.

use crate::postgres::admin::AdminConnection;
use crate::postgres::registry_tables::CONNECTION;
use crate::postgres::server::PostgresServer;
use crate::server::driver::ConnectionLocks;

impl ConnectionLocks for PostgresServer {
    async fn lock(
        admin: &mut AdminConnection,
        total: i32,
        count: usize,
        held: &[i32],
    ) -> Result<Vec<i32>, sqlx::Error> {
        // The limit ends the scan, so no lock is tried for that is not needed; `OFFSET 0` keeps what is
        // held out of the way first.
        let lock = sqlx::query_scalar(
            "SELECT n FROM (SELECT n FROM generate_series(1, $2) n WHERE n <> ALL ($4) OFFSET 0) free \
             WHERE pg_try_advisory_lock($1, n) LIMIT $3",
        );
        let wanted = i64::try_from(count).unwrap_or(i64::MAX);
        let lock = lock.bind(CONNECTION).bind(total).bind(wanted).bind(held);
        let got: Vec<i32> = admin.fetch_all(lock).await?;
        if got.len() >= count {
            return Ok(got);
        }
        Self::unlock(admin, &got).await?;
        Ok(Vec::new())
    }

    async fn lock_again(
        admin: &mut AdminConnection,
        numbers: &[i32],
    ) -> Result<Vec<i32>, sqlx::Error> {
        let lock = sqlx::query_scalar(
            "SELECT n FROM unnest($2::int[]) n WHERE pg_try_advisory_lock($1, n)",
        );
        admin.fetch_all(lock.bind(CONNECTION).bind(numbers)).await
    }

    async fn unlock(admin: &mut AdminConnection, numbers: &[i32]) -> Result<(), sqlx::Error> {
        let unlock = sqlx::query("SELECT pg_advisory_unlock($1, n) FROM unnest($2::int[]) n");
        let unlock = unlock.bind(CONNECTION).bind(numbers);
        admin.execute(unlock).await.map(drop)
    }

    async fn sessions(&self, admin: &mut AdminConnection) -> Result<String, sqlx::Error> {
        let sessions = sqlx::query_scalar(
            "SELECT coalesce(string_agg(concat(pid, ' ', backend_start), ', ' ORDER BY pid), '') \
             FROM pg_stat_activity WHERE usename = current_user AND pid <> pg_backend_pid()",
        );
        admin.fetch_one(sessions).await
    }

    async fn holders(admin: &mut AdminConnection) -> Result<Vec<(String, i64)>, sqlx::Error> {
        let holders = sqlx::query_as(
            "SELECT coalesce(nullif(a.application_name, ''), 'process ' || l.pid), count(*) \
             FROM pg_locks l LEFT JOIN pg_stat_activity a ON a.pid = l.pid \
             WHERE l.locktype = 'advisory' AND l.classid = $1::oid AND l.objsubid = 2 AND l.granted \
               AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()) \
             GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 8",
        );
        admin.fetch_all(holders.bind(i64::from(CONNECTION))).await
    }
}
