//! Which databases on a PostgreSQL server are garbage, and how one is dropped.

use sqlx::{FromRow as _, Row as _};

use crate::postgres::admin::{AdminConnection, literal, quoted, with_values};
use crate::postgres::errors::{IN_USE, IS_TEMPLATE, has_code};
use crate::postgres::registry_tables::{REAPER, TEMPLATE_IN_USE};
use crate::postgres::server::PostgresServer;
use crate::server::background::Background;
use crate::server::driver::{LOST, ReaperSql, ServerAccess as _};
use crate::server::process_home::{Liveness, is_left_over, liveness};

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

/// Templates that no living process uses, but for the latest: twelve of those that none has used for an hour, and
/// forty in all.
const OLD_TEMPLATES: &str = "
DELETE FROM green_light.template t
WHERE name NOT IN (SELECT name FROM green_light.template ORDER BY used DESC LIMIT 12)
  AND (used < now() - interval '1 hour'
    OR used < now() - interval '1 minute'
      AND name NOT IN (SELECT name FROM green_light.template ORDER BY used DESC LIMIT 40))
  AND NOT EXISTS (SELECT FROM green_light.database d WHERE d.template = t.name)
  AND NOT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 2 AND granted
    AND classid = $1::oid AND objid = hashtext(t.name)::oid
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))
RETURNING name";

/// In the registry, and garbage or of an owner that has no lock, with what is known of that owner; those of one owner
/// first. All of them, or the one of a name. A database of the same name that is neither the one that was created nor
/// marked is not ours.
const ABANDONED: &str = "
WITH here AS (SELECT oid FROM pg_database WHERE datname = current_database()),
alive AS MATERIALIZED (
  SELECT (classid::bigint << 32) | objid::bigint AS key FROM pg_locks, here
  WHERE locktype = 'advisory' AND objsubid = 1 AND granted AND database = here.oid)
SELECT r.name, r.state = 'done', r.owner, p.home,
  p.key IS NULL OR p.lost < now() - make_interval(secs => $4),
  EXISTS (SELECT FROM pg_stat_activity a WHERE a.datid = d.oid)
FROM green_light.database r LEFT JOIN pg_database d ON d.datname = r.name
  LEFT JOIN green_light.process p ON p.key = r.owner
WHERE (r.state = 'done' OR (r.state IN ('making', 'taken') AND r.owner NOT IN (SELECT key FROM alive)))
  AND (d.oid IS NULL OR r.oid IS NULL OR d.oid = r.oid
    OR position($1 IN coalesce(shobj_description(d.oid, 'pg_database'), '')) > 0)
  AND ($3 IS NULL OR r.name = $3)
ORDER BY r.owner IS NOT DISTINCT FROM $2 DESC, r.since";

/// Processes that have no lock, and whether that is so for long.
const WITHOUT_LOCK: &str = "
SELECT key, home, lost < now() - make_interval(secs => $1) FROM green_light.process WHERE key NOT IN (
  SELECT (classid::bigint << 32) | objid::bigint FROM pg_locks
  WHERE locktype = 'advisory' AND objsubid = 1 AND granted
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))";

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

    async fn bound_drops(admin: &mut AdminConnection) -> Result<(), sqlx::Error> {
        let (name, value) = STATEMENT_TIMEOUT;
        admin.run(format!("SET {name} = '{value}'")).await
    }

    async fn count_garbage(&self, admin: &mut AdminConnection) -> Result<(i64, i64), sqlx::Error> {
        let count = sqlx::query_as(
            "SELECT count(CASE WHEN owner = $1 THEN 1 END), count(*) \
             FROM green_light.database WHERE state = 'done'",
        );
        admin.fetch_one(count.bind(self.key)).await
    }

    async fn list_garbage(&self, admin: &mut AdminConnection) -> Result<Vec<String>, sqlx::Error> {
        let most = Background::max_ready().to_string();
        admin.execute(with_values(RETIRE_SURPLUS, &[&most])).await?;
        self.note_lost(admin).await?;
        let mut garbage = self.abandoned(admin, None).await?;
        let orphans = with_values(ORPHANS, &[&literal(&self.mark())]);
        for row in admin.fetch_all(orphans).await? {
            garbage.push(row.try_get(0)?);
        }
        Ok(garbage)
    }

    async fn retire_templates(
        &self,
        admin: &mut AdminConnection,
    ) -> Result<Vec<String>, sqlx::Error> {
        // A process that lives without its lock may use one of them.
        if self.note_lost(admin).await? {
            return Ok(Vec::new());
        }
        let old = sqlx::query_scalar(OLD_TEMPLATES).bind(i64::from(TEMPLATE_IN_USE));
        admin.fetch_all(old).await
    }

    async fn drop_database(
        &self,
        admin: &mut AdminConnection,
        name: &str,
    ) -> Result<(), sqlx::Error> {
        // It was listed a while ago, and its owner may have its lock again.
        if is_taken(admin, name).await? && self.abandoned(admin, Some(name)).await?.is_empty() {
            return Ok(());
        }
        let force = match self.info.version {
            130_000.. => " WITH (FORCE)",
            _ => "",
        };
        let drop = format!("DROP DATABASE IF EXISTS {}{force}", quoted(name));
        while let Err(error) = admin.run(drop.clone()).await {
            if has_code(&error, IS_TEMPLATE) {
                let alter = format!("ALTER DATABASE {} IS_TEMPLATE false", quoted(name));
                admin.run(alter).await?;
            } else if !has_code(&error, IN_USE)
                || !self.roll_back_prepared(admin, name).await?
                    && !self.drop_subscriptions(admin, name).await?
            {
                return Err(error);
            }
        }
        let forget = sqlx::query("DELETE FROM green_light.database WHERE name = $1");
        admin.execute(forget.bind(name)).await?;
        Ok(())
    }
}

/// Whether a process has, or had, the database.
async fn is_taken(admin: &mut AdminConnection, name: &str) -> Result<bool, sqlx::Error> {
    let taken = "SELECT EXISTS (SELECT FROM green_light.database \
                 WHERE name = $1 AND state IN ('making', 'taken'))";
    admin.fetch_one(sqlx::query_scalar(taken).bind(name)).await
}

impl PostgresServer {
    /// What of [`ABANDONED`] is garbage.
    pub(crate) async fn abandoned(
        &self,
        admin: &mut AdminConnection,
        name: Option<&str>,
    ) -> Result<Vec<String>, sqlx::Error> {
        type Row = (
            String,
            bool,
            Option<i64>,
            Option<String>,
            Option<bool>,
            bool,
        );
        let name = name.map_or_else(|| "NULL".to_owned(), literal);
        let (key, lost) = (self.key.to_string(), LOST.as_secs_f64().to_string());
        let values = [&*literal(&self.mark()), &key, &name, &lost];
        let found = admin.fetch_all(with_values(ABANDONED, &values)).await?;
        let found: Vec<_> = found.iter().map(Row::from_row).collect::<Result<_, _>>()?;
        let found = found.into_iter().filter(|row| {
            let (_, is_done, owner, home, is_lost, is_in_use) = row;
            // Its own connection may be the one that was lost.
            let is_own = *owner == Some(self.key);
            let is_lost = *is_lost == Some(true);
            *is_done || !is_own && is_left_over(home.as_deref(), is_lost, *is_in_use)
        });
        Ok(found.map(|row| row.0).collect())
    }

    /// Notes which processes have no lock, and forgets those that have ended. Whether there are any that may live.
    async fn note_lost(&self, admin: &mut AdminConnection) -> Result<bool, sqlx::Error> {
        let found = with_values(WITHOUT_LOCK, &[&LOST.as_secs_f64().to_string()]);
        let (mut ended, mut unknown, mut may_live) = (Vec::new(), Vec::new(), false);
        for row in admin.fetch_all(found).await? {
            let (key, home, is_lost) = <(i64, String, Option<bool>)>::from_row(&row)?;
            match liveness(&home) {
                Liveness::Ended => ended.push(key),
                Liveness::Running => may_live = true,
                Liveness::Unknown => {
                    may_live |= is_lost != Some(true);
                    unknown.push(key);
                }
            }
        }
        if !unknown.is_empty() {
            let note =
                "UPDATE green_light.process SET lost = now() WHERE key = ANY ($1) AND lost IS NULL";
            admin.execute(sqlx::query(note).bind(&unknown)).await?;
        }
        if !ended.is_empty() || !unknown.is_empty() {
            let forget = "DELETE FROM green_light.process p WHERE (key = ANY ($1) \
                OR (key = ANY ($2) AND lost < now() - interval '1 hour')) \
                AND NOT EXISTS (SELECT FROM green_light.database d WHERE d.owner = p.key)";
            let forget = sqlx::query(forget).bind(&ended).bind(&unknown);
            admin.execute(forget).await?;
        }
        Ok(may_live)
    }

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
        let mut inside = AdminConnection::connect_when_free(&self.options_of(name)).await?;
        let (setting, value) = STATEMENT_TIMEOUT;
        inside.run(format!("SET {setting} = '{value}'")).await?;
        for gid in prepared {
            let roll_back = format!("ROLLBACK PREPARED {}", literal(&gid));
            inside.run(roll_back).await?;
        }
        inside.close().await;
        Ok(true)
    }

    /// Drops subscriptions of a database, which it cannot be dropped with. What they are subscribed to is not told.
    async fn drop_subscriptions(
        &self,
        admin: &mut AdminConnection,
        name: &str,
    ) -> Result<bool, sqlx::Error> {
        let subscriptions = sqlx::query_scalar(
            "SELECT subname::text FROM pg_subscription JOIN pg_database d ON d.oid = subdbid WHERE datname = $1",
        );
        let subscriptions: Vec<String> = admin.fetch_all(subscriptions.bind(name)).await?;
        if subscriptions.is_empty() {
            return Ok(false);
        }
        let mut inside = AdminConnection::connect_when_free(&self.options_of(name)).await?;
        let (setting, value) = STATEMENT_TIMEOUT;
        inside.run(format!("SET {setting} = '{value}'")).await?;
        for subscription in subscriptions.iter().map(|name| quoted(name)) {
            inside
                .run(format!(
                    "ALTER SUBSCRIPTION {subscription} DISABLE; \
                     ALTER SUBSCRIPTION {subscription} SET (slot_name = NONE)"
                ))
                .await?;
            inside
                .run(format!("DROP SUBSCRIPTION {subscription}"))
                .await?;
        }
        inside.close().await;
        Ok(true)
    }
}
