//! The maintenance database, which holds the registry: connecting to it, its tables, and what the server says of
//! itself.
//!
//! It is named after the role, so that roles which may not see each other's tables do not meet.

use sqlx::{
    Row as _,
    postgres::{PgConnectOptions, PgRow},
};

use crate::error::{Error, Kind};
use crate::postgres::admin::{AdminConnection, literal, quoted, with_values};
use crate::postgres::errors::{
    DATABASE_EXISTS, DENIED, NAME_THE_SERVER, NO_DATABASE, UNIQUE, failed, has_code,
};
use crate::postgres::oldest_version;

/// Classes of advisory locks in the maintenance database, beside the keys of processes.
pub(crate) const CONNECTION: i32 = 0x676c_0001;
pub(crate) const REAPER: i32 = 0x676c_0002;
const TABLES_LOCK: i32 = 0x676c_0003;
/// The templates that processes use, each by the hash of its name.
pub(crate) const TEMPLATE_IN_USE: i32 = 0x676c_0004;

/// Changes with the tables below, with what a template holds, and with what is found out about it.
pub(crate) const FORMAT: &str = "2";

/// `owner` is the key of the process that creates or has a database. `oid` is known once it is created: another
/// database of the same name is not ours.
const TABLES: &str = "
CREATE SCHEMA green_light;
CREATE TABLE green_light.template (
  name text PRIMARY KEY,
  strategy text NOT NULL DEFAULT '',
  likeness text[] NOT NULL,
  measured text NOT NULL DEFAULT '',
  used timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE green_light.database (
  name text PRIMARY KEY,
  oid oid,
  template text NOT NULL,
  state text NOT NULL,
  owner bigint,
  test text,
  since timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX ON green_light.database (template, state);
";

/// The processes that live, and some that have ended. `key` is that of their databases; `lost` says since when such a
/// process has no lock any more, if other processes cannot look whether it lives.
const PROCESSES: &str = "
CREATE TABLE green_light.process (
  key bigint PRIMARY KEY,
  home text NOT NULL,
  lost timestamptz
);
";
/// How often the server has come up after a crash since green-light knows it, if it has not since the last look. A
/// crash empties what is `UNLOGGED`, in templates as well, and nothing else tells of it afterwards. What was made ahead
/// of tests before that is garbage.
const CRASHES: &str = "SELECT number FROM green_light.crashes WHERE EXISTS (SELECT FROM green_light.emptied_by_crash)";
const COUNT_CRASH: &str = "
CREATE TABLE IF NOT EXISTS green_light.crashes (number bigint NOT NULL);
CREATE UNLOGGED TABLE IF NOT EXISTS green_light.emptied_by_crash (is_there boolean);
INSERT INTO green_light.crashes SELECT -1 WHERE NOT EXISTS (SELECT FROM green_light.crashes);
UPDATE green_light.database SET state = CASE state WHEN 'free' THEN 'done' ELSE state END, template = ''
  WHERE state IN ('free', 'taken') AND NOT EXISTS (SELECT FROM green_light.emptied_by_crash);
UPDATE green_light.crashes SET number = number + 1 WHERE NOT EXISTS (SELECT FROM green_light.emptied_by_crash);
INSERT INTO green_light.emptied_by_crash
  SELECT true WHERE NOT EXISTS (SELECT FROM green_light.emptied_by_crash);
COMMIT";

/// What a server says of itself, asked once.
#[derive(Debug)]
pub(crate) struct ServerInfo {
    pub(crate) role: String,
    /// `150018` for 15.18.
    pub(crate) version: i32,
    pub(crate) major_version: String,
    /// What the contents of a new database depend on, besides the schema.
    pub(crate) fingerprint: String,
    /// How often it had crashed.
    pub(crate) crashes: i64,
    /// How many connections the role may have at all.
    pub(crate) connections: i32,
    /// Whether a query goes on when its client is gone.
    pub(crate) misses_client_disconnect: bool,
    pub(crate) is_superuser: bool,
}

/// A setting that no server knows, made at the start of a session. A pooler answers such a start itself,
/// and refuses what it does not know, or swallows it.
const POOLER_PROBE: (&str, &str) = ("green_light.direct", "on");

/// Connects to the maintenance database of `server`, which is created if it is not there.
pub(crate) async fn open(
    server: &PgConnectOptions,
    application: &str,
) -> Result<(AdminConnection, PgConnectOptions), Error> {
    let role = server.get_username();
    let options = server
        .clone()
        .database(&database_name(role))
        .application_name(application)
        .options([POOLER_PROBE]);
    let connection = match AdminConnection::connect_to_enter(&options).await {
        Err(error) if has_code(&error, NO_DATABASE) => {
            create_database(server, &database_name(role)).await?;
            AdminConnection::connect_to_enter(&options).await
        }
        other => other,
    };
    let connection = connection.map_err(|error| failed("PostgreSQL cannot be reached", error))?;
    oldest_version::check(connection.as_ref().server_version_num())?;
    Ok((connection, options))
}

/// Names are cut at 63 bytes without a word, so a long role is shortened here, visibly.
fn database_name(role: &str) -> String {
    let mut name = format!("green_light_{role}");
    if name.len() > 63 {
        let digest = crate::digest::short_digest([role]);
        let end = (0..=40).rev().find(|end| name.is_char_boundary(*end));
        name.truncate(end.unwrap_or(0));
        name.push('_');
        name.push_str(&digest);
    }
    name
}

async fn create_database(server: &PgConnectOptions, name: &str) -> Result<(), Error> {
    let cannot = |error| {
        failed(
            format!("the maintenance database `{name}` cannot be made"),
            error,
        )
    };
    let mut connection = AdminConnection::connect_to_enter(server)
        .await
        .map_err(cannot)?;
    let create = format!("CREATE DATABASE {}", quoted(name));
    let made = connection.run_slow(create).await;
    connection.close().await;
    match made {
        // Another process was faster.
        Err(error) if has_code(&error, DATABASE_EXISTS) || has_code(&error, UNIQUE) => Ok(()),
        Err(error) if has_code(&error, DENIED) => {
            Err(cannot_create_databases(server.get_username()).because(error))
        }
        other => other.map_err(cannot),
    }
}

/// Whether the tables are there. Asked of the catalog itself: `to_regclass` remembers for a while that a
/// name was not there.
const KNOWN: &str = "SELECT EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace \
                     WHERE nspname = 'green_light' AND relname = 'process')";
/// The same of the tables that earlier versions have made.
const KNOWN_BEFORE: &str = "SELECT EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace \
                            WHERE nspname = 'green_light' AND relname = 'database')";

async fn create_tables(connection: &mut AdminConnection) -> Result<(), sqlx::Error> {
    // If it does not come to its end, neither does the connection live on.
    let lock = format!("BEGIN; SELECT pg_advisory_xact_lock({TABLES_LOCK}, 0)");
    connection.run(lock).await?;
    if !connection.fetch_one(sqlx::query_scalar(KNOWN)).await? {
        let query = sqlx::query_scalar(KNOWN_BEFORE);
        let tables = match connection.fetch_one(query).await? {
            true => PROCESSES.to_owned(),
            false => format!("{TABLES}{PROCESSES}"),
        };
        connection.run(tables).await?;
    }
    connection.run("COMMIT".to_owned()).await
}

/// How often the server has crashed. Its templates from before a crash are not used any more.
pub(crate) async fn crashes(connection: &mut AdminConnection) -> Result<i64, sqlx::Error> {
    // There is no such table before the first look.
    if let Ok(Some(known)) = connection.fetch_optional(CRASHES).await {
        return known.try_get(0);
    }
    let lock = format!("BEGIN; SELECT pg_advisory_xact_lock({TABLES_LOCK}, 0)");
    connection.run(lock).await?;
    connection.run(COUNT_CRASH.to_owned()).await?;
    connection.fetch_one(sqlx::query_scalar(CRASHES)).await
}

/// The role may not create databases.
fn cannot_create_databases(role: &str) -> Error {
    Error::new(
        Kind::Connection,
        format!("the role `{role}` of `GREEN_LIGHT_POSTGRES_URL` may not make databases"),
    )
    .help(format!(
        "let an administrator run `ALTER ROLE {} CREATEDB`, or name another role",
        quoted(role)
    ))
}

/// Asks the server what it is. The tables are created if they are not there.
///
/// # Errors
///
/// When the server does not answer, or the role may not do what has to be done here.
pub(crate) async fn server_info(connection: &mut AdminConnection) -> Result<ServerInfo, Error> {
    let cannot = |error| {
        failed(
            "the server could not be asked for its version and settings",
            error,
        )
    };
    // Columns that only some versions have are asked for by way of JSON.
    let query = format!(
        "SELECT current_user::text, current_setting('server_version_num')::int, \
         (SELECT concat_ws(' ', pg_encoding_to_char(encoding), datcollate, datctype, \
            d.j->>'datlocprovider', d.j->>'daticulocale', d.j->>'datlocale', d.j->>'datcollversion') \
            FROM pg_database, LATERAL (SELECT to_jsonb(pg_database) AS j) d \
            WHERE datname = 'template1') || ' ' || \
         (SELECT md5(coalesce(string_agg(name || ' ' || coalesce(default_version, ''), ',' ORDER BY name), '')) \
            FROM pg_available_extensions), \
         least(current_setting('max_connections')::int \
           - current_setting('superuser_reserved_connections')::int \
           - coalesce(current_setting('reserved_connections', true), '0')::int, \
           (SELECT nullif(rolconnlimit, -1) FROM pg_roles WHERE rolname = current_user AND NOT rolsuper)), \
         current_setting('client_connection_check_interval', true) = '0', \
         (SELECT rolcreatedb OR rolsuper FROM pg_roles WHERE rolname = current_user), \
         current_setting($1, true) IS NOT DISTINCT FROM $2, ({KNOWN}), \
         (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)",
    );
    let probe = [&*literal(POOLER_PROBE.0), &literal(POOLER_PROBE.1)];
    let query = with_values(&query, &probe);
    let row = connection.fetch_one(query).await.map_err(cannot)?;
    let (mut info, may_create) = read_info(&row).map_err(cannot)?;
    if !row.try_get(6).map_err(cannot)? {
        return Err(Error::new(
            Kind::Connection,
            "a connection pooler stands between this process and PostgreSQL",
        )
        .help(NAME_THE_SERVER));
    }
    if !row.try_get(7).map_err(cannot)? {
        create_tables(connection)
            .await
            .map_err(|error| failed("the maintenance database cannot be prepared", error))?;
    }
    let crashes = crashes(connection).await;
    info.crashes =
        crashes.map_err(|error| failed("the maintenance database cannot be read", error))?;
    if may_create {
        Ok(info)
    } else {
        Err(cannot_create_databases(&info.role))
    }
}

fn read_info(row: &PgRow) -> Result<(ServerInfo, bool), sqlx::Error> {
    let version: i32 = row.try_get(1)?;
    let info = ServerInfo {
        role: row.try_get(0)?,
        version,
        major_version: (version / 10_000).to_string(),
        fingerprint: row.try_get(2)?,
        crashes: 0,
        connections: row.try_get(3)?,
        misses_client_disconnect: row.try_get::<Option<bool>, _>(4)? == Some(true),
        is_superuser: row.try_get(8)?,
    };
    Ok((info, row.try_get(5)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_the_maintenance_database_fits_and_tells_roles_apart() {
        assert_eq!(database_name("app"), "green_light_app");
        let (a, b) = ("ü".repeat(60), format!("{}a", "ü".repeat(59)));
        assert!(database_name(&a).len() <= 63, "{}", database_name(&a));
        assert_ne!(database_name(&a), database_name(&b));
    }
}
