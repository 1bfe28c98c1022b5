//! The database `green_light`, which holds the registry: its tables, and what the server says of itself.

use sqlx::Row as _;

use crate::mysql::admin::{AdminConnection, numbers};

/// The lock of the reaper.
pub(crate) const REAPER: &str = "green_light.janitor";

/// Changes with what a template holds.
pub(crate) const FORMAT: &str = "2";

/// `run` is the process that creates, has or had a database. A process that has lost its lock, and of which others
/// cannot find out whether it lives, is listed as lost.
const TABLES: &str = "CREATE DATABASE IF NOT EXISTS green_light; \
    CREATE TABLE IF NOT EXISTS green_light.processes \
    (run VARCHAR(64) NOT NULL PRIMARY KEY, connection BIGINT NOT NULL, \
    program VARCHAR(64) NOT NULL) ENGINE = InnoDB; \
    CREATE TABLE IF NOT EXISTS green_light.templates \
    (digest VARCHAR(64) NOT NULL PRIMARY KEY, name VARCHAR(64) NOT NULL, \
    used TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6)) ENGINE = InnoDB; \
    CREATE TABLE IF NOT EXISTS green_light.rebuilds \
    (digest VARCHAR(64) NOT NULL PRIMARY KEY, run VARCHAR(64) NOT NULL) ENGINE = InnoDB; \
    CREATE TABLE IF NOT EXISTS green_light.accounts \
    (account VARCHAR(320) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL, draft VARCHAR(64) NOT NULL DEFAULT '', \
    PRIMARY KEY (account, draft)) ENGINE = InnoDB; \
    CREATE TABLE IF NOT EXISTS green_light.template_uses \
    (digest VARCHAR(64) NOT NULL, run VARCHAR(64) NOT NULL, PRIMARY KEY (digest, run)) \
    ENGINE = InnoDB; \
    CREATE TABLE IF NOT EXISTS green_light.test_databases \
    (number BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, name VARCHAR(64) NOT NULL UNIQUE, \
    digest VARCHAR(64) NOT NULL, state VARCHAR(8) NOT NULL, run VARCHAR(64), \
    since TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6)) ENGINE = InnoDB; \
    CREATE TABLE IF NOT EXISTS green_light.lost_processes \
    (run VARCHAR(64) NOT NULL PRIMARY KEY, \
    since TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6)) ENGINE = InnoDB; \
    CREATE TABLE IF NOT EXISTS green_light.restarts (number BIGINT NOT NULL) ENGINE = InnoDB; \
    CREATE TABLE IF NOT EXISTS green_light.emptied_by_restart (is_there TINYINT) ENGINE = MEMORY";

/// Fails if one of them is missing.
const KNOWN: &str = "SELECT 1 FROM green_light.processes, green_light.templates, \
    green_light.rebuilds, green_light.accounts, green_light.template_uses, green_light.test_databases, \
    green_light.lost_processes, green_light.restarts, green_light.emptied_by_restart LIMIT 0";

pub(crate) async fn create_tables(connection: &mut AdminConnection) -> Result<(), sqlx::Error> {
    match connection.execute(KNOWN).await {
        Err(sqlx::Error::Database(_)) => connection.execute(TABLES).await.map(drop),
        known => known.map(drop),
    }
}

/// The version of the server, and what the contents of a new database depend on besides the schema.
pub(crate) async fn server_info(
    connection: &mut AdminConnection,
) -> Result<(String, String), sqlx::Error> {
    let info = "SELECT version(), concat_ws(' ', version(), @@character_set_server, @@collation_server, \
                @@sql_mode, @@lower_case_table_names, current_user())";
    let row = connection.fetch_one(info).await?;
    Ok((row.try_get_unchecked(0)?, row.try_get_unchecked(1)?))
}

/// How many connections the server gives a user, and so how high numbers can be.
pub(crate) async fn connection_limit(connection: &mut AdminConnection) -> Result<i32, sqlx::Error> {
    // A limit of 0 is none.
    let sql = "SELECT @@max_connections, @@max_user_connections".to_owned();
    let limits = numbers(connection, sql).await?;
    let least = limits.into_iter().flatten().filter(|limit| *limit > 0);
    Ok(i32::try_from(least.min().unwrap_or_default()).unwrap_or(i32::MAX))
}

/// The statements that take the template `digest` off the list, with all that was created from it ahead of tests.
pub(crate) fn forget_template(digest: &str) -> String {
    format!(
        "INSERT INTO green_light.test_databases (name, digest, state) \
         SELECT name, digest, 'done' FROM green_light.templates WHERE digest = '{digest}'; \
         DELETE FROM green_light.templates WHERE digest = '{digest}'; \
         UPDATE green_light.test_databases SET state = 'done' \
         WHERE digest = '{digest}' AND state IN ('free', 'used'); \
         UPDATE green_light.test_databases SET digest = '' \
         WHERE digest = '{digest}' AND state = 'taken'; "
    )
}
