//! Which databases on a server of MySQL or MariaDB are garbage, and how one is dropped.

use crate::mysql::admin::{AdminConnection, end_connections, lock, names, number};
use crate::mysql::dump::quoted;
use crate::mysql::registry_tables::REAPER;
use crate::mysql::server::MySqlServer;
use crate::mysql::xa;
use crate::server::background::Background;
use crate::server::driver::ReaperSql;

/// The rows of processes that are gone.
const DEAD: &str = "DELETE FROM green_light.processes WHERE IS_FREE_LOCK(run) = 1; \
    DELETE FROM green_light.template_uses WHERE IS_FREE_LOCK(run) = 1";

/// Ready databases that are too many, and those of templates that no process has used lately.
const SURPLUS: &str = "SELECT name FROM (SELECT name, digest, \
    row_number() OVER (PARTITION BY digest, state ORDER BY since DESC) AS place \
    FROM green_light.test_databases WHERE state IN ('free', 'used')) free \
    WHERE place > {MOST} OR digest NOT IN (SELECT digest FROM \
    (SELECT digest FROM green_light.templates ORDER BY used DESC LIMIT 4) recent)";

/// Garbage, or without a living owner. The connection that creates a database holds the lock of its name: the
/// server may go on with a statement of a process that is gone.
const ABANDONED: &str = "SELECT name FROM green_light.test_databases WHERE state = 'done' \
    OR (state IN ('making', 'ahead', 'taken') \
    AND IS_FREE_LOCK(run) = 1 AND IS_FREE_LOCK(name) = 1) ORDER BY since, number";

/// Templates that no process has used for an hour.
const OLD_TEMPLATES: &str = "SELECT digest FROM green_light.templates \
    WHERE used < now(6) - INTERVAL 1 HOUR AND digest NOT IN (SELECT digest FROM \
    (SELECT digest FROM green_light.templates ORDER BY used DESC LIMIT 12) recent)";

impl ReaperSql for MySqlServer {
    async fn lock_reaper(admin: &mut AdminConnection) -> Result<bool, sqlx::Error> {
        lock(admin, REAPER).await
    }

    async fn count_own_garbage(&self, admin: &mut AdminConnection) -> Result<i64, sqlx::Error> {
        let count = format!(
            "SELECT count(*) FROM green_light.test_databases WHERE run = '{}' AND state = 'done'",
            self.process
        );
        number(admin, count).await
    }

    async fn list_garbage(&self, admin: &mut AdminConnection) -> Result<Vec<String>, sqlx::Error> {
        let surplus = SURPLUS.replace("{MOST}", &Background::max_ready().to_string());
        let retire = format!(
            "{DEAD}; UPDATE green_light.test_databases SET state = 'done' \
             WHERE state IN ('free', 'used') AND name IN (SELECT name FROM ({surplus}) surplus)"
        );
        admin.run(retire).await?;
        names(admin, ABANDONED.to_owned()).await
    }

    async fn retire_templates(
        &self,
        admin: &mut AdminConnection,
    ) -> Result<Vec<String>, sqlx::Error> {
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
        let still = format!("SELECT name FROM ({ABANDONED}) a WHERE name = '{name}'");
        if names(admin, still).await?.is_empty() {
            return Ok(());
        }
        end_connections(admin, name).await?;
        let drop = format!(
            "DROP DATABASE IF EXISTS {}; DELETE FROM green_light.test_databases WHERE name = '{name}'",
            quoted(name)
        );
        admin.run_slow(drop).await
    }

    async fn explain_refusal(&self, admin: &mut AdminConnection, error: &sqlx::Error) -> String {
        xa::explain(admin, error).await
    }
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
         AND used < now(6) - INTERVAL 1 HOUR \
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
