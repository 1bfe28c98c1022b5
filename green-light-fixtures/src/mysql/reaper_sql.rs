//! Which databases on a server of MySQL or MariaDB are garbage, and how one is dropped.

use sqlx::{AssertSqlSafe, Row as _};

use crate::mysql::admin::{AdminConnection, end_connections, lock, names, numbers, quoted};
use crate::mysql::grants;
use crate::mysql::process_name::home_of;
use crate::mysql::registry_tables::REAPER;
use crate::mysql::server::MySqlServer;
use crate::mysql::xa;
use crate::server::background::Background;
use crate::server::driver::{LOST, ReaperSql};
use crate::server::process_home::{Liveness, is_left_over, liveness};

/// Processes that have no lock, and whether that is so for long.
const WITHOUT_LOCK: &str = "SELECT p.run, CAST(coalesce(l.since < now(6) - INTERVAL {LOST} SECOND, 0) AS SIGNED) \
    FROM (SELECT run FROM green_light.processes UNION SELECT run FROM green_light.template_uses) p \
    LEFT JOIN green_light.lost_processes l ON l.run = p.run WHERE IS_FREE_LOCK(p.run) = 1";

/// Ready databases that are too many, and those of templates that no process has used lately.
const SURPLUS: &str = "SELECT name FROM (SELECT name, digest, \
    row_number() OVER (PARTITION BY digest, state ORDER BY since DESC) AS place \
    FROM green_light.test_databases WHERE state IN ('free', 'used')) free \
    WHERE place > {MOST} OR digest NOT IN (SELECT digest FROM \
    (SELECT digest FROM green_light.templates ORDER BY used DESC LIMIT 4) recent)";

/// Garbage, or of an owner that has no lock, with what is known of that owner; those of one owner first. All of them,
/// or the one of a name. The connection that creates a database holds the lock of its name: the server may go on with
/// a statement of a process that is gone.
const ABANDONED: &str = "SELECT d.name, CAST(d.state = 'done' AS SIGNED), coalesce(d.run, ''), \
    CAST(coalesce(l.since < now(6) - INTERVAL {LOST} SECOND, 0) AS SIGNED), \
    (SELECT count(*) FROM information_schema.processlist s WHERE s.db = d.name) \
    FROM green_light.test_databases d LEFT JOIN green_light.lost_processes l ON l.run = d.run \
    WHERE (d.state = 'done' OR (d.state IN ('making', 'ahead', 'taken') \
    AND IS_FREE_LOCK(d.run) = 1 AND IS_FREE_LOCK(d.name) = 1)) AND ({NAME}) \
    ORDER BY coalesce(d.run = '{OWN}', 0) DESC, d.since, d.number";

/// Templates that no living process uses, but for the latest: twelve of those that none has used for an hour, and
/// forty in all.
const OLD_TEMPLATES: &str = "SELECT digest FROM green_light.templates \
    WHERE digest NOT IN (SELECT digest FROM \
    (SELECT digest FROM green_light.templates ORDER BY used DESC LIMIT 12) recent) \
    AND (used < now(6) - INTERVAL 1 HOUR OR digest NOT IN (SELECT digest FROM \
    (SELECT digest FROM green_light.templates ORDER BY used DESC LIMIT 40) latest))";

impl ReaperSql for MySqlServer {
    async fn lock_reaper(admin: &mut AdminConnection) -> Result<bool, sqlx::Error> {
        lock(admin, REAPER).await
    }

    async fn count_garbage(&self, admin: &mut AdminConnection) -> Result<(i64, i64), sqlx::Error> {
        let count = format!(
            "SELECT count(CASE WHEN run = '{}' THEN 1 END), count(*) \
             FROM green_light.test_databases WHERE state = 'done'",
            self.process
        );
        let counts = numbers(admin, count).await?;
        let mut counts = counts.into_iter().map(Option::unwrap_or_default);
        Ok((
            counts.next().unwrap_or_default(),
            counts.next().unwrap_or_default(),
        ))
    }

    async fn list_garbage(&self, admin: &mut AdminConnection) -> Result<Vec<String>, sqlx::Error> {
        let surplus = SURPLUS.replace("{MOST}", &Background::max_ready().to_string());
        let retire = format!(
            "UPDATE green_light.test_databases SET state = 'done' \
             WHERE state IN ('free', 'used') AND name IN (SELECT name FROM ({surplus}) surplus)"
        );
        admin.run(retire).await?;
        note_lost(admin).await?;
        self.abandoned(admin, None).await
    }

    async fn retire_templates(
        &self,
        admin: &mut AdminConnection,
    ) -> Result<Vec<String>, sqlx::Error> {
        // A process that lives without its lock may use one of them.
        if note_lost(admin).await? {
            return Ok(Vec::new());
        }
        let mut retired = Vec::new();
        for digest in names(admin, OLD_TEMPLATES.to_owned()).await? {
            retired.extend(retire(admin, &digest).await?);
        }
        Ok(retired)
    }

    async fn drop_database(
        &self,
        admin: &mut AdminConnection,
        name: &str,
    ) -> Result<(), sqlx::Error> {
        // The rows and the locks were not looked at in one moment: meanwhile it may have become a template,
        // and its builder have gone.
        if self.abandoned(admin, Some(name)).await?.is_empty() {
            return Ok(());
        }
        end_connections(admin, name).await?;
        grants::take_back(admin, name).await?;
        let forget = format!("DELETE FROM green_light.test_databases WHERE name = '{name}'");
        if self.is_ours {
            xa::drop_database(admin, name).await?;
            return admin.run(forget).await;
        }
        let drop = format!("DROP DATABASE IF EXISTS {}; {forget}", quoted(name));
        admin.run_slow(drop).await
    }

    async fn explain_refusal(&self, admin: &mut AdminConnection, error: &sqlx::Error) -> String {
        xa::explain(admin, error).await
    }
}

impl MySqlServer {
    /// What of [`ABANDONED`] is garbage.
    pub(crate) async fn abandoned(
        &self,
        admin: &mut AdminConnection,
        name: Option<&str>,
    ) -> Result<Vec<String>, sqlx::Error> {
        let one = name.map_or("TRUE".to_owned(), |name| format!("d.name = '{name}'"));
        let sql = ABANDONED
            .replace("{LOST}", &LOST.as_secs().to_string())
            .replace("{NAME}", &one)
            .replace("{OWN}", &self.process);
        let mut garbage = Vec::new();
        for row in admin.fetch_all(AssertSqlSafe(sql)).await? {
            let (is_done, owner): (i64, String) =
                (row.try_get_unchecked(1)?, row.try_get_unchecked(2)?);
            let (is_lost, sessions): (i64, i64) =
                (row.try_get_unchecked(3)?, row.try_get_unchecked(4)?);
            // Its own connection may be the one that was lost.
            let is_own = owner == self.process;
            if is_done == 1 || !is_own && is_left_over(home_of(&owner), is_lost == 1, sessions > 0)
            {
                garbage.push(row.try_get_unchecked(0)?);
            }
        }
        Ok(garbage)
    }
}

/// Notes which processes have no lock, and forgets those that have ended. Whether there are any that may live.
async fn note_lost(admin: &mut AdminConnection) -> Result<bool, sqlx::Error> {
    let sql = WITHOUT_LOCK.replace("{LOST}", &LOST.as_secs().to_string());
    let (mut statements, mut may_live) = (Vec::new(), false);
    for row in admin.fetch_all(AssertSqlSafe(sql)).await? {
        let (run, is_lost): (String, i64) = (row.try_get_unchecked(0)?, row.try_get_unchecked(1)?);
        match home_of(&run).map_or(Liveness::Unknown, liveness) {
            Liveness::Running => may_live = true,
            Liveness::Unknown if is_lost == 0 => {
                may_live = true;
                statements.push(format!(
                    "INSERT IGNORE INTO green_light.lost_processes (run) VALUES ('{run}')"
                ));
            }
            Liveness::Unknown | Liveness::Ended => statements.extend(
                ["processes", "template_uses"]
                    .map(|table| format!("DELETE FROM green_light.{table} WHERE run = '{run}'")),
            ),
        }
    }
    if !statements.is_empty() {
        let forget =
            "DELETE FROM green_light.lost_processes WHERE since < now(6) - INTERVAL 1 HOUR";
        statements.push(forget.to_owned());
        admin.run(statements.join("; ")).await?;
    }
    Ok(may_live)
}

/// Takes the template `digest` off the list, unless it is used again meanwhile. Its database is garbage then.
async fn retire(
    connection: &mut AdminConnection,
    digest: &str,
) -> Result<Option<String>, sqlx::Error> {
    connection.run("START TRANSACTION".to_owned()).await?;
    // A process that finds a template changes its row, and so waits here, or makes this wait.
    let unused = format!(
        "SELECT name FROM green_light.templates WHERE digest = '{digest}' \
         AND NOT EXISTS (SELECT 1 FROM green_light.template_uses u WHERE u.digest = '{digest}') \
         AND NOT EXISTS (SELECT 1 FROM green_light.test_databases d WHERE d.digest = '{digest}') \
         FOR UPDATE"
    );
    let Some(name) = names(connection, unused).await?.pop() else {
        connection.run("ROLLBACK".to_owned()).await?;
        return Ok(None);
    };
    let retire = format!(
        "INSERT INTO green_light.test_databases (name, digest, state) \
         VALUES ('{name}', '{digest}', 'done'); \
         DELETE FROM green_light.templates WHERE digest = '{digest}'; COMMIT"
    );
    connection.run(retire).await?;
    Ok(Some(name))
}
