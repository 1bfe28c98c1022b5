//! The rows of processes and of databases in the registry.

use std::time::{Duration, Instant};

use sqlx::{AssertSqlSafe, MySqlPool, Row as _};

use crate::mysql::admin::{AdminConnection, literal, lock, names, number, numbers, quoted};
use crate::mysql::counters::{FRESH, sequences};
use crate::mysql::server::MySqlServer;
use crate::mysql::xa;
use crate::server::background::Background;
use crate::server::driver::{Purpose, Registry, TemplateInfo};
use crate::server::names::program;

/// How long to wait for the end of a connection that this process has lost.
const FORMER: Duration = Duration::from_secs(2);

/// The states in which a database is ready, the preferred one first.
fn ready_states(purpose: &Purpose) -> &'static str {
    match purpose {
        Purpose::Test(_) => "'free'",
        Purpose::Slot(_) => "'used', 'free'",
    }
}

impl Registry for MySqlServer {
    async fn end_former(
        &self,
        admin: &mut AdminConnection,
        _held: &[i32],
    ) -> Result<(), sqlx::Error> {
        let begun = Instant::now();
        loop {
            let former = format!("SELECT IS_USED_LOCK('{}')", self.process);
            let former = numbers(admin, former).await?.into_iter().flatten().next();
            let Some(former) = former.filter(|_| begun.elapsed() < FORMER) else {
                return Ok(());
            };
            // It may have gone by itself meanwhile.
            let _ = admin.run(format!("KILL {former}")).await;
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    async fn register(&self, admin: &mut AdminConnection) -> Result<(), sqlx::Error> {
        lock(admin, &self.process).await?;
        let (process, program) = (literal(&self.process), literal(&program()));
        admin
            .run(format!(
                "REPLACE INTO green_light.processes VALUES ({process}, connection_id(), {program})"
            ))
            .await?;
        let templates: Vec<_> = { self.templates_in_use.lock().iter().cloned().collect() };
        for digest in templates {
            let uses = format!(
                "INSERT IGNORE INTO green_light.template_uses VALUES ('{digest}', '{}')",
                self.process
            );
            admin.run(uses).await?;
        }
        Ok(())
    }

    async fn release_all(&self, admin: &mut AdminConnection) -> Result<(), sqlx::Error> {
        let release = format!(
            "UPDATE green_light.test_databases SET state = 'done' WHERE run = '{0}' AND state = 'taken'; \
             DELETE FROM green_light.template_uses WHERE run = '{0}'; \
             DELETE FROM green_light.processes WHERE run = '{0}'; \
             DELETE FROM green_light.lost_processes WHERE run = '{0}'",
            self.process
        );
        admin.run(release).await?;
        if self.is_ours {
            xa::roll_back_leftovers(admin, &self.process).await?;
        }
        Ok(())
    }

    async fn unregister(&self, admin: &mut AdminConnection) -> Result<(), sqlx::Error> {
        // Older versions do not know the function.
        admin.run("DO RELEASE_ALL_LOCKS()".to_owned()).await
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
            template.details.digest
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
            template.details.digest,
            ready_states(purpose)
        );
        number(admin, count).await
    }

    async fn end_session(pool: &MySqlPool) -> Result<(), sqlx::Error> {
        pool.close().await;
        Ok(())
    }

    /// Nothing was ever committed to the database. The counters of its tables are reset.
    async fn recycle(&self, admin: &mut AdminConnection, name: &str) -> Result<bool, sqlx::Error> {
        let ready = format!(
            "SELECT count(*) FROM green_light.test_databases d JOIN green_light.test_databases own \
             ON own.digest = d.digest WHERE own.name = '{name}' AND d.state IN ('free', 'used', 'ahead')"
        );
        let is_enough = number(admin, ready).await? >= Background::max_ready();
        if is_enough || !sequences(admin, name).await?.is_empty() {
            return Ok(false);
        }
        reset_counters(admin, name).await?;
        let recycle = format!(
            "UPDATE green_light.test_databases SET state = 'used', run = NULL, since = now(6) \
             WHERE name = '{name}' AND run = '{}' AND state = 'taken' AND digest <> ''",
            self.process
        );
        let recycled = admin.execute(AssertSqlSafe(recycle)).await?;
        Ok(recycled.rows_affected() == 1)
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

/// A rollback does not reset the counters that tables have for their keys.
async fn reset_counters(admin: &mut AdminConnection, name: &str) -> Result<(), sqlx::Error> {
    let moved = format!(
        "{FRESH}; SELECT d.table_name, t.auto_increment FROM information_schema.tables d \
         JOIN information_schema.tables t ON t.table_name = d.table_name \
         WHERE d.table_schema = '{name}' AND d.auto_increment IS NOT NULL \
         AND t.table_schema = (SELECT p.name FROM green_light.templates p \
           JOIN green_light.test_databases b ON b.digest = p.digest WHERE b.name = '{name}') \
         AND NOT d.auto_increment <=> t.auto_increment"
    );
    for row in admin.fetch_all(AssertSqlSafe(moved)).await? {
        let table: String = row.try_get_unchecked(0)?;
        let next: u64 = row.try_get_unchecked(1)?;
        let (name, table) = (quoted(name), quoted(&table));
        let reset = format!("ALTER TABLE {name}.{table} AUTO_INCREMENT = {next}");
        admin.run(reset).await?;
    }
    Ok(())
}

/// Registers a database before it is created by `admin`, which holds the lock of its name from then on.
pub(crate) async fn insert(
    admin: &mut AdminConnection,
    name: &str,
    digest: &str,
    state: &str,
    process: &str,
) -> Result<(), sqlx::Error> {
    lock(admin, name).await?;
    let insert = format!(
        "INSERT INTO green_light.test_databases (name, digest, state, run) \
         VALUES ('{name}', '{digest}', '{state}', '{process}')"
    );
    admin.run(insert).await
}

/// Sets the state of a database. One that is ready or kept belongs to no process.
pub(crate) async fn set_state(
    admin: &mut AdminConnection,
    name: &str,
    state: &str,
) -> Result<(), sqlx::Error> {
    let owner = match state {
        "free" | "kept" => ", run = NULL",
        _ => "",
    };
    let set = format!(
        "UPDATE green_light.test_databases SET state = '{state}'{owner}, since = now(6) \
         WHERE name = '{name}'"
    );
    admin.run(set).await
}
