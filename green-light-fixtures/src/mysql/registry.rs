//! The rows of processes and of databases in the registry.

use sqlx::AssertSqlSafe;

use crate::mysql::admin::{AdminConnection, lock, names, number, run};
use crate::mysql::server::MySqlServer;
use crate::mysql::xa;
use crate::server::driver::{Purpose, Registry, TemplateInfo};
use crate::server::names::program;
use crate::server::query_ext::QueryExt as _;

/// The states in which a database is ready, the preferred one first.
fn ready_states(purpose: &Purpose) -> &'static str {
    match purpose {
        Purpose::Test(_) => "'free'",
        Purpose::Slot(_) => "'used', 'free'",
    }
}

impl Registry for MySqlServer {
    async fn register(&self, admin: &mut AdminConnection) -> Result<(), sqlx::Error> {
        lock(admin, &self.process).await?;
        sqlx::query("INSERT INTO green_light.processes VALUES (?, connection_id(), ?)")
            .bind(&self.process)
            .bind(program())
            .execute_with(admin)
            .await
            .map(drop)
    }

    async fn release_all(&self, admin: &mut AdminConnection) -> Result<(), sqlx::Error> {
        let release = format!(
            "UPDATE green_light.test_databases SET state = 'done' WHERE run = '{0}' AND state = 'taken'; \
             DELETE FROM green_light.template_uses WHERE run = '{0}'; \
             DELETE FROM green_light.processes WHERE run = '{0}'",
            self.process
        );
        run(admin, release).await?;
        if self.is_ours {
            xa::roll_back_leftovers(admin, &self.process).await?;
        }
        Ok(())
    }

    async fn unregister(&self, admin: &mut AdminConnection) -> Result<(), sqlx::Error> {
        // Older versions do not know the function.
        run(admin, "DO RELEASE_ALL_LOCKS()".to_owned()).await
    }

    async fn pop_ready(
        &self,
        admin: &mut AdminConnection,
        template: &TemplateInfo<Self>,
        purpose: &Purpose,
    ) -> Result<Option<(String, i64)>, sqlx::Error> {
        let states = ready_states(purpose);
        let ready = format!(
            "SELECT name FROM green_light.test_databases WHERE digest = '{}' AND state IN ({states}) \
             ORDER BY field(state, {states}), number",
            template.digest
        );
        let ready = names(admin, ready).await?;
        let mut left = i64::try_from(ready.len()).unwrap_or(i64::MAX);
        for name in ready {
            left -= 1;
            let lease = format!(
                "UPDATE green_light.test_databases SET state = 'taken', run = '{}', \
                 since = now(6) WHERE name = '{name}' AND state IN ({states})",
                self.process
            );
            // Another process may be faster.
            let leased = admin.execute(AssertSqlSafe(lease)).await?;
            if leased.rows_affected() == 1 {
                return Ok(Some((name, left)));
            }
        }
        Ok(None)
    }

    async fn count_ready(
        &self,
        admin: &mut AdminConnection,
        template: &TemplateInfo<Self>,
        purpose: &Purpose,
    ) -> Result<i64, sqlx::Error> {
        let count = format!(
            "SELECT count(*) FROM green_light.test_databases \
             WHERE digest = '{}' AND state IN ('ahead', {})",
            template.digest,
            ready_states(purpose)
        );
        number(admin, count).await
    }

    async fn keep(
        &self,
        admin: &mut AdminConnection,
        name: &str,
        at_most: usize,
    ) -> Result<(), sqlx::Error> {
        set_state(admin, name, "kept").await?;
        let kept = "SELECT name FROM green_light.test_databases WHERE state = 'kept' \
                    ORDER BY since DESC, number DESC";
        let kept = names(admin, kept.to_owned()).await?;
        for old in kept.iter().filter(|old| *old != name).skip(at_most - 1) {
            set_state(admin, old, "done").await?;
        }
        Ok(())
    }

    async fn mark_garbage(
        &self,
        admin: &mut AdminConnection,
        name: &str,
    ) -> Result<(), sqlx::Error> {
        set_state(admin, name, "done").await
    }
}

/// Registers a database before it is created by `connection`, which holds the lock of its name from then on.
pub(crate) async fn insert(
    connection: &mut AdminConnection,
    name: &str,
    digest: &str,
    state: &str,
    process: &str,
) -> Result<(), sqlx::Error> {
    lock(connection, name).await?;
    run(
        connection,
        format!(
            "INSERT INTO green_light.test_databases (name, digest, state, run) \
             VALUES ('{name}', '{digest}', '{state}', '{process}')"
        ),
    )
    .await
}

/// Sets the state of a database. One that is ready or kept belongs to no process.
pub(crate) async fn set_state(
    connection: &mut AdminConnection,
    name: &str,
    state: &str,
) -> Result<(), sqlx::Error> {
    let owner = match state {
        "free" | "kept" => ", run = NULL",
        _ => "",
    };
    run(
        connection,
        format!(
            "UPDATE green_light.test_databases SET state = '{state}'{owner}, since = now(6) \
             WHERE name = '{name}'"
        ),
    )
    .await
}
