//! The database `green_light`: what processes know of each other's databases.

use std::time::Duration;

use sqlx::Row as _;

use crate::mysql::admin;
use crate::mysql::admin::{AdminConnection, run};
use crate::server::query_ext::QueryExt as _;

/// How often connections are looked for that have been told to end.
const ROUNDS: usize = 500;

/// The lock of whoever drops leftovers.
pub(crate) const JANITOR: &str = "green_light.janitor";

/// Changes with what a template holds.
pub(crate) const FORMAT: &str = "2";

/// `state` is `making` for a test, `ahead` of the tests, `free`, `used` for the sandbox alone, `taken`,
/// `done` or `kept`. `run` is the process that makes, has or had it.
const TABLES: &str = "CREATE DATABASE IF NOT EXISTS green_light; \
    CREATE TABLE IF NOT EXISTS green_light.processes \
    (run VARCHAR(64) NOT NULL PRIMARY KEY, connection BIGINT NOT NULL, \
    program VARCHAR(64) NOT NULL) ENGINE = InnoDB; \
    CREATE TABLE IF NOT EXISTS green_light.templates \
    (digest VARCHAR(64) NOT NULL PRIMARY KEY, name VARCHAR(64) NOT NULL, \
    used TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6)) ENGINE = InnoDB; \
    CREATE TABLE IF NOT EXISTS green_light.rebuilds \
    (digest VARCHAR(64) NOT NULL PRIMARY KEY, run VARCHAR(64) NOT NULL) ENGINE = InnoDB; \
    CREATE TABLE IF NOT EXISTS green_light.template_uses \
    (digest VARCHAR(64) NOT NULL, run VARCHAR(64) NOT NULL, PRIMARY KEY (digest, run)) \
    ENGINE = InnoDB; \
    CREATE TABLE IF NOT EXISTS green_light.test_databases \
    (number BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, name VARCHAR(64) NOT NULL UNIQUE, \
    digest VARCHAR(64) NOT NULL, state VARCHAR(8) NOT NULL, run VARCHAR(64), \
    since TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6)) ENGINE = InnoDB";

/// Fails if one of them is missing.
const KNOWN: &str = "SELECT 1 FROM green_light.processes, green_light.templates, \
    green_light.rebuilds, green_light.template_uses, green_light.test_databases LIMIT 0";

pub(crate) async fn make_tables(connection: &mut AdminConnection) -> Result<(), sqlx::Error> {
    match connection.execute(KNOWN).await {
        Err(sqlx::Error::Database(_)) => connection.execute(TABLES).await.map(drop),
        known => known.map(drop),
    }
}

/// What the server says of its version.
pub(crate) async fn version(connection: &mut AdminConnection) -> Result<String, sqlx::Error> {
    let row = connection.fetch_one("SELECT version()").await?;
    row.try_get_unchecked(0)
}

/// What the contents of a new database depend on, besides the schema.
pub(crate) async fn nature(connection: &mut AdminConnection) -> Result<String, sqlx::Error> {
    let nature = "SELECT concat_ws(' ', version(), @@character_set_server, @@collation_server, \
                  @@sql_mode, @@lower_case_table_names, current_user())";
    let row = connection.fetch_one(nature).await?;
    row.try_get_unchecked(0)
}

/// Enters this process, whose lock `connection` takes.
pub(crate) async fn announce(
    connection: &mut AdminConnection,
    process: &str,
    program: &str,
) -> Result<(), sqlx::Error> {
    admin::lock(connection, process).await?;
    sqlx::query("INSERT INTO green_light.processes VALUES (?, connection_id(), ?)")
        .bind(process)
        .bind(program)
        .execute_with(connection)
        .await
        .map(drop)
}

/// Enters a database before it is made, by `connection`, which holds the lock of its name from then on.
pub(crate) async fn enter(
    connection: &mut AdminConnection,
    name: &str,
    digest: &str,
    state: &str,
    process: &str,
) -> Result<(), sqlx::Error> {
    admin::lock(connection, name).await?;
    run(
        connection,
        format!(
            "INSERT INTO green_light.test_databases (name, digest, state, run) \
             VALUES ('{name}', '{digest}', '{state}', '{process}')"
        ),
    )
    .await
}

/// Notes what a database is from now on. One that is free or kept is nobody's.
pub(crate) async fn becomes(
    connection: &mut AdminConnection,
    name: &str,
    state: &str,
) -> Result<(), sqlx::Error> {
    let nobodys = match state {
        "free" | "kept" => ", run = NULL",
        _ => "",
    };
    run(
        connection,
        format!(
            "UPDATE green_light.test_databases SET state = '{state}'{nobodys}, since = now(6) \
             WHERE name = '{name}'"
        ),
    )
    .await
}

/// The names in the first column of what `query` finds.
pub(crate) async fn names(
    connection: &mut AdminConnection,
    query: String,
) -> Result<Vec<String>, sqlx::Error> {
    let rows = connection.fetch_all(sqlx::AssertSqlSafe(query)).await?;
    rows.iter().map(|row| row.try_get_unchecked(0)).collect()
}

/// Ends every connection to the database `name`, and waits a little until they are gone.
///
/// Those of somebody with more rights cannot be ended.
pub(crate) async fn clear(connection: &mut AdminConnection, name: &str) -> Result<(), sqlx::Error> {
    let found = format!(
        "SELECT concat('KILL ', id) FROM information_schema.processlist \
         WHERE db = '{name}' AND id <> connection_id()"
    );
    for _ in 0..ROUNDS {
        let kills = names(connection, found.clone()).await?;
        if kills.is_empty() {
            return Ok(());
        }
        for kill in kills {
            // It may have gone by itself meanwhile.
            let _ = run(connection, kill).await;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    Ok(())
}
