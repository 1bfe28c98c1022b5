//! The rows of processes and of databases in the registry.

use crate::postgres::admin::AdminConnection;
use crate::postgres::server::PostgresServer;
use crate::server::driver::{Purpose, Registry, TemplateInfo};
use crate::server::query_ext::QueryExt as _;

impl Registry for PostgresServer {
    async fn register(&self, admin: &mut AdminConnection) -> Result<(), sqlx::Error> {
        sqlx::query("SELECT pg_advisory_lock_shared($1)")
            .bind(self.key)
            .execute_with(admin)
            .await
            .map(drop)
    }

    async fn release_all(&self, admin: &mut AdminConnection) -> Result<(), sqlx::Error> {
        sqlx::query(
            "UPDATE green_light.database SET state = 'done' WHERE owner = $1 AND state = 'taken'",
        )
        .bind(self.key)
        .execute_with(admin)
        .await
        .map(drop)
    }

    async fn unregister(&self, admin: &mut AdminConnection) -> Result<(), sqlx::Error> {
        sqlx::query("SELECT pg_advisory_unlock_all()")
            .execute_with(admin)
            .await
            .map(drop)
    }

    async fn pop_ready(
        &self,
        admin: &mut AdminConnection,
        template: &TemplateInfo<Self>,
        purpose: &Purpose,
    ) -> Result<Option<(String, i64)>, sqlx::Error> {
        let (Purpose::Test(test) | Purpose::Slot(test)) = purpose;
        sqlx::query_as(
            "WITH free AS (SELECT name FROM green_light.database \
               WHERE template = $1 AND state = 'free' ORDER BY since LIMIT 1 FOR UPDATE SKIP LOCKED) \
             UPDATE green_light.database d SET state = 'taken', owner = $2, test = $3, \
               since = clock_timestamp() FROM free WHERE d.name = free.name RETURNING d.name, \
               (SELECT count(*) - 1 FROM green_light.database \
                WHERE template = $1 AND test IS NULL AND state IN ('free', 'making'))",
        )
        .bind(&template.name)
        .bind(self.key)
        .bind(test)
        .fetch_optional_with(admin)
        .await
    }

    async fn count_ready(
        &self,
        admin: &mut AdminConnection,
        template: &TemplateInfo<Self>,
        _purpose: &Purpose,
    ) -> Result<i64, sqlx::Error> {
        sqlx::query_scalar(
            "SELECT count(*) FROM green_light.database \
             WHERE template = $1 AND test IS NULL AND state IN ('free', 'making')",
        )
        .bind(&template.name)
        .fetch_one_with(admin)
        .await
    }

    async fn keep(
        &self,
        admin: &mut AdminConnection,
        name: &str,
        at_most: usize,
    ) -> Result<(), sqlx::Error> {
        sqlx::query(
            "WITH now AS (UPDATE green_light.database SET state = 'kept', owner = NULL, \
               since = clock_timestamp() WHERE name = $1), \
             old AS (SELECT name FROM green_light.database WHERE state = 'kept' AND name <> $1 \
               ORDER BY since DESC OFFSET $2) \
             UPDATE green_light.database SET state = 'done' WHERE name IN (SELECT name FROM old)",
        )
        .bind(name)
        .bind(i64::try_from(at_most).unwrap_or(i64::MAX) - 1)
        .execute_with(admin)
        .await
        .map(drop)
    }

    async fn mark_garbage(
        &self,
        admin: &mut AdminConnection,
        name: &str,
    ) -> Result<(), sqlx::Error> {
        sqlx::query(
            "UPDATE green_light.database SET state = 'done', since = clock_timestamp() WHERE name = $1",
        )
        .bind(name)
        .execute_with(admin)
        .await
        .map(drop)
    }
}
