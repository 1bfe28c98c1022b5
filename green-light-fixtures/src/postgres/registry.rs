//! The rows of processes and of databases in the registry.

use std::time::{Duration, Instant};

use sqlx::{Executor as _, PgPool};

use crate::postgres::admin::{AdminConnection, literal, with_values};
use crate::postgres::registry_tables::{CONNECTION, TEMPLATE_IN_USE};
use crate::postgres::server::PostgresServer;
use crate::server::background::Background;
use crate::server::driver::{Purpose, Registry, TemplateInfo};
use crate::server::process_home::HOME;

/// How often to look whether the connection has come back from the last test.
const PAUSE: Duration = Duration::from_micros(200);

/// How long to wait for the end of a connection that this process has lost.
const FORMER: Duration = Duration::from_secs(2);

/// Only if fewer than so many of its template are ready.
const RECYCLE: &str = "WITH room AS (SELECT $3 - count(*) AS room FROM green_light.database \
      WHERE state IN ('free', 'making') AND test IS NULL \
        AND template = (SELECT template FROM green_light.database WHERE name = $1)) \
    UPDATE green_light.database SET state = 'free', owner = NULL, test = NULL, \
      since = clock_timestamp() FROM room \
    WHERE name = $1 AND state = 'taken' AND owner = $2 AND template <> '' AND room > 0";

/// The test that a database is for, or first for.
pub(crate) fn test_of(purpose: &Purpose) -> &str {
    let (Purpose::Test(test) | Purpose::Slot(test)) = purpose;
    test
}

impl Registry for PostgresServer {
    async fn end_former(
        &self,
        admin: &mut AdminConnection,
        held: &[i32],
    ) -> Result<(), sqlx::Error> {
        // Connections that create databases have the lock of the process as well, but no numbers.
        let end = "
            SELECT pg_terminate_backend(pid) FROM (
              SELECT DISTINCT k.pid FROM pg_locks k JOIN pg_locks n ON n.pid = k.pid AND n.database = k.database
              WHERE k.locktype = 'advisory' AND k.objsubid = 1 AND k.granted
                AND k.classid = (($1::bigint >> 32) & x'ffffffff'::bigint)::oid
                AND k.objid = ($1::bigint & x'ffffffff'::bigint)::oid
                AND k.database = (SELECT oid FROM pg_database WHERE datname = current_database())
                AND n.locktype = 'advisory' AND n.objsubid = 2 AND n.granted
                AND n.classid = $2::bigint::oid AND n.objid::bigint = ANY ($3::bigint[])
                AND k.pid <> pg_backend_pid()) former";
        let held: Vec<_> = held.iter().map(|number| i64::from(*number)).collect();
        let begun = Instant::now();
        loop {
            let end = sqlx::query(end).bind(self.key);
            let end = end.bind(i64::from(CONNECTION)).bind(&held);
            let ended = admin.fetch_all(end).await?;
            if ended.is_empty() || begun.elapsed() >= FORMER {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    async fn register(&self, admin: &mut AdminConnection) -> Result<(), sqlx::Error> {
        let register = "INSERT INTO green_light.process (key, home) VALUES ($1, $2) \
            ON CONFLICT (key) DO UPDATE SET lost = NULL RETURNING pg_advisory_lock_shared($1)";
        let values = [&*self.key.to_string(), &literal(&HOME)];
        admin.execute(with_values(register, &values)).await?;
        let templates: Vec<_> = { self.templates_in_use.lock().iter().cloned().collect() };
        if templates.is_empty() {
            return Ok(());
        }
        let lock = sqlx::query(
            "SELECT pg_advisory_lock_shared($1, hashtext(name)) FROM unnest($2::text[]) name",
        );
        let lock = lock.bind(TEMPLATE_IN_USE).bind(templates);
        admin.execute(lock).await.map(drop)
    }

    async fn release_all(&self, admin: &mut AdminConnection) -> Result<(), sqlx::Error> {
        let release = format!(
            "UPDATE green_light.database SET state = 'done' WHERE owner = {0} AND state = 'taken'; \
             DELETE FROM green_light.process WHERE key = {0}",
            self.key
        );
        admin.run(release).await
    }

    async fn unregister(&self, admin: &mut AdminConnection) -> Result<(), sqlx::Error> {
        admin
            .run("SELECT pg_advisory_unlock_all()".to_owned())
            .await
    }

    async fn pop_ready(
        &self,
        admin: &mut AdminConnection,
        template: &TemplateInfo<Self>,
        purpose: &Purpose,
    ) -> Result<Option<(String, i64)>, sqlx::Error> {
        let pop = sqlx::query_as(
            "WITH free AS (SELECT name FROM green_light.database \
               WHERE template = $1 AND state = 'free' ORDER BY since LIMIT 1 FOR UPDATE SKIP LOCKED) \
             UPDATE green_light.database d SET state = 'taken', owner = $2, test = $3, \
               since = clock_timestamp() FROM free WHERE d.name = free.name RETURNING d.name, \
               (SELECT count(*) - 1 FROM green_light.database \
                WHERE template = $1 AND test IS NULL AND state IN ('free', 'making'))",
        );
        let pop = pop.bind(&template.name).bind(self.key);
        admin.fetch_optional(pop.bind(test_of(purpose))).await
    }

    async fn count_ready(
        &self,
        admin: &mut AdminConnection,
        template: &TemplateInfo<Self>,
        _purpose: &Purpose,
    ) -> Result<i64, sqlx::Error> {
        let count = sqlx::query_scalar(
            "SELECT count(*) FROM green_light.database \
             WHERE template = $1 AND test IS NULL AND state IN ('free', 'making')",
        );
        admin.fetch_one(count.bind(&template.name)).await
    }

    /// Nothing was ever committed to the database. Its sequences are reset by the connection that has the last
    /// transaction of the slot: if it cannot do that, the database is dropped.
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
            .execute("SELECT green_light.reset_sequences(false); ROLLBACK")
            .await?;
        connection.close().await
    }

    async fn recycle(&self, admin: &mut AdminConnection, name: &str) -> Result<bool, sqlx::Error> {
        let (key, most) = (self.key.to_string(), Background::max_ready().to_string());
        let recycle = with_values(RECYCLE, &[&literal(name), &key, &most]);
        let recycled = admin.execute(recycle).await?;
        Ok(recycled.rows_affected() == 1)
    }

    async fn keep(
        &self,
        admin: &mut AdminConnection,
        name: &str,
        at_most: usize,
    ) -> Result<(), sqlx::Error> {
        let keep = sqlx::query(
            "WITH now AS (UPDATE green_light.database SET state = 'kept', owner = NULL, \
               since = clock_timestamp() WHERE name = $1), \
             old AS (SELECT name FROM green_light.database WHERE state = 'kept' AND name <> $1 \
               ORDER BY since DESC OFFSET $2) \
             UPDATE green_light.database SET state = 'done' WHERE name IN (SELECT name FROM old)",
        );
        let others = i64::try_from(at_most).unwrap_or(i64::MAX) - 1;
        admin.execute(keep.bind(name).bind(others)).await.map(drop)
    }

    async fn mark_garbage(
        &self,
        admin: &mut AdminConnection,
        name: &str,
    ) -> Result<(), sqlx::Error> {
        let mark = sqlx::query(
            "UPDATE green_light.database SET state = 'done', since = clock_timestamp() WHERE name = $1",
        );
        admin.execute(mark.bind(name)).await.map(drop)
    }
}
