//! Which databases on a PostgreSQL server are garbage, and how one is dropped.

use crate::postgres::admin::{AdminConnection, literal, quoted};
use crate::postgres::errors::{IN_USE, IS_TEMPLATE, has_code};
use crate::postgres::registry_tables::{REAPER, TEMPLATE_IN_USE};
use crate::postgres::server::PostgresServer;
use crate::server::background::Background;
use crate::server::driver::{ReaperSql, ServerAccess as _};

/// How long one statement may take. To drop a database, a server asks all its sessions to close
/// files, and one that waits for a client that does not read never replies.
const STATEMENT_TIMEOUT: (&str, &str) = ("statement_timeout", "10s");

/// Makes garbage of ready databases that are too many, and of those of templates that no process has used lately.
/// A schema has two templates, one of them for the sandbox, and four schemas keep their ready databases.
const RETIRE_SURPLUS: &str = "
WITH old AS (SELECT d.name FROM green_light.database d
  WHERE d.state = 'free' AND d.name IN (SELECT name FROM (
    SELECT name, template, row_number() OVER (PARTITION BY template ORDER BY since DESC) AS number
    FROM green_light.database WHERE state = 'free') AS free
    WHERE number > $1 OR template NOT IN
      (SELECT name FROM green_light.template ORDER BY used DESC LIMIT 8))
  FOR UPDATE SKIP LOCKED)
UPDATE green_light.database d SET state = 'done' FROM old WHERE d.name = old.name";

/// Templates that no living process uses, and none has used for an hour.
const OLD_TEMPLATES: &str = "
DELETE FROM green_light.template t WHERE used < now() - interval '1 hour'
  AND name NOT IN (SELECT name FROM green_light.template ORDER BY used DESC LIMIT 12)
  AND NOT EXISTS (SELECT FROM green_light.database d WHERE d.template = t.name)
  AND NOT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 2 AND granted
    AND classid = $1::oid AND objid = hashtext(t.name)::oid
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))
RETURNING name";

/// In the registry, and garbage or without a living owner. A database of the same name that is neither the one
/// that was created nor marked is not ours.
const ABANDONED: &str = "
WITH here AS (SELECT oid FROM pg_database WHERE datname = current_database()),
alive AS MATERIALIZED (
  SELECT (classid::bigint << 32) | objid::bigint AS key FROM pg_locks, here
  WHERE locktype = 'advisory' AND objsubid = 1 AND granted AND database = here.oid)
SELECT r.name
FROM green_light.database r LEFT JOIN pg_database d ON d.datname = r.name
WHERE (r.state = 'done' OR (r.state IN ('making', 'taken') AND r.owner NOT IN (SELECT key FROM alive)))
  AND (d.oid IS NULL OR r.oid IS NULL OR d.oid = r.oid
    OR position($1 IN coalesce(shobj_description(d.oid, 'pg_database'), '')) > 0)
ORDER BY r.since";

/// Marked, in no registry, without connections, and not a template.
const ORPHANS: &str = "
SELECT d.datname::text FROM pg_database d
WHERE position($1 IN coalesce(shobj_description(d.oid, 'pg_database'), '')) > 0
  AND NOT d.datistemplate
  AND NOT EXISTS (SELECT FROM green_light.database r WHERE r.name = d.datname)
  AND NOT EXISTS (SELECT FROM pg_stat_activity a WHERE a.datid = d.oid)";

impl ReaperSql for PostgresServer {
    async fn lock_reaper(admin: &mut AdminConnection) -> Result<bool, sqlx::Error> {
        let (name, value) = STATEMENT_TIMEOUT;
        let lock = "SELECT pg_try_advisory_lock($1, 0), set_config($2, $3, false)";
        let lock = sqlx::query_as(lock).bind(REAPER).bind(name).bind(value);
        let (is_locked, _): (bool, String) = admin.fetch_one(lock).await?;
        Ok(is_locked)
    }

    async fn count_own_garbage(&self, admin: &mut AdminConnection) -> Result<i64, sqlx::Error> {
        let count = sqlx::query_scalar(
            "SELECT count(*) FROM green_light.database WHERE owner = $1 AND state = 'done'",
        );
        admin.fetch_one(count.bind(self.key)).await
    }

    async fn list_garbage(&self, admin: &mut AdminConnection) -> Result<Vec<String>, sqlx::Error> {
        let retire = sqlx::query(RETIRE_SURPLUS).bind(Background::max_ready());
        admin.execute(retire).await?;
        let mut garbage = Vec::new();
        for query in [ABANDONED, ORPHANS] {
            let query = sqlx::query_scalar(query).bind(self.mark());
            garbage.extend(admin.fetch_all(query).await?);
        }
        Ok(garbage)
    }

    async fn retire_templates(
        &self,
        admin: &mut AdminConnection,
    ) -> Result<Vec<String>, sqlx::Error> {
        let old = sqlx::query_scalar(OLD_TEMPLATES).bind(i64::from(TEMPLATE_IN_USE));
        admin.fetch_all(old).await
    }

    async fn drop_database(
        &self,
        admin: &mut AdminConnection,
        name: &str,
    ) -> Result<(), sqlx::Error> {
        let force = match self.info.version {
            130_000.. => " WITH (FORCE)",
            _ => "",
        };
        let drop = format!("DROP DATABASE IF EXISTS {}{force}", quoted(name));
        while let Err(error) = admin.run(drop.clone()).await {
            if has_code(&error, IS_TEMPLATE) {
                let alter = format!("ALTER DATABASE {} IS_TEMPLATE false", quoted(name));
                admin.run(alter).await?;
            } else if !has_code(&error, IN_USE) || !self.roll_back_prepared(admin, name).await? {
                return Err(error);
            }
        }
        let forget = sqlx::query("DELETE FROM green_light.database WHERE name = $1");
        admin.execute(forget.bind(name)).await?;
        Ok(())
    }
}

impl PostgresServer {
    /// Rolls back transactions that tests have prepared: nothing else ends them, and until then their database
    /// cannot be dropped. Whether there were any.
    pub(crate) async fn roll_back_prepared(
        &self,
        admin: &mut AdminConnection,
        name: &str,
    ) -> Result<bool, sqlx::Error> {
        let prepared = sqlx::query_scalar("SELECT gid FROM pg_prepared_xacts WHERE database = $1");
        let prepared: Vec<String> = admin.fetch_all(prepared.bind(name)).await?;
        if prepared.is_empty() {
            return Ok(false);
        }
        // Only a connection to its own database can end one.
        let options = self.options_of(name).options([STATEMENT_TIMEOUT]);
        let mut inside = AdminConnection::connect_when_free(&options).await?;
        for gid in prepared {
            let roll_back = format!("ROLLBACK PREPARED {}", literal(&gid));
            inside.run(roll_back).await?;
        }
        inside.close().await;
        Ok(true)
    }
}
