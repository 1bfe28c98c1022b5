//! Connecting to a server that may have no connection left, and asking it one thing.

use std::future::Future;

use green_light_core::help_for;
use sqlx::{AssertSqlSafe, Executor as _, MySqlConnection, Row as _, mysql::MySqlConnectOptions};

use crate::backoff::Waiting;
use crate::error::{Error, Kind};
use crate::local_server::origin::{Origin, tls, unreachable};
use crate::mysql::sandbox::has_number;
use crate::server::admin_connection::{Answer, Asked};
use crate::server::response_timeout::{Served, Silence};

/// A connection for what green-light itself asks.
pub(crate) type Line = crate::server::admin_connection::Line<MySqlConnection>;

impl Served for MySqlConnection {
    const SERVER: &'static str = "MySQL";

    fn place(options: &MySqlConnectOptions) -> String {
        let (user, database) = (options.get_username(), options.get_database());
        let host = match options.get_socket() {
            Some(socket) => socket.display().to_string(),
            None => format!("{}:{}", options.get_host(), options.get_port()),
        };
        format!("{user}@{host}/{}", database.unwrap_or_default())
    }

    fn ask(&mut self, asked: Asked<sqlx::MySql>) -> Answer<'_, sqlx::MySql> {
        self.fetch_many(asked)
    }
}

/// The server, or the user, has as many connections as it may.
const TOO_MANY: [u16; 3] = [1040, 1203, 1226];
/// The user may not do this.
const DENIED: [u16; 3] = [1044, 1142, 1227];
/// The user may not come in.
const LOCKED_OUT: [u16; 2] = [1045, 1698];
const NO_DATABASE: [u16; 1] = [1049];
const NO_SPACE: [u16; 2] = [1021, 1114];

/// What differs from a server's defaults on our own connections: what others write is seen at once, no
/// wait for a table that a test still reads lasts for a day, and the server leaves idle ones alone.
const SETTINGS: &str = "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED; \
    SET SESSION lock_wait_timeout = 10, SESSION innodb_lock_wait_timeout = 10, \
    SESSION wait_timeout = 2147483";

/// Connects; waits while the server has no connection left.
pub(crate) async fn connect(options: &MySqlConnectOptions) -> Result<Line, sqlx::Error> {
    let mut connection = once_there_is_room(|| Line::to(options)).await?;
    connection.execute(SETTINGS).await?;
    Ok(connection)
}

/// Opens something by `open`; waits while the server has no connection left.
pub(crate) async fn once_there_is_room<T, F>(open: impl Fn() -> F) -> Result<T, sqlx::Error>
where
    F: Future<Output = Result<T, sqlx::Error>>,
{
    let mut waiting = Waiting::new();
    loop {
        match open().await {
            Err(error) if waiting.is_worth_it() && has_one_of(&error, &TOO_MANY) => {
                waiting
                    .pause(|| format!("the server has no connection left ({error})"))
                    .await;
            }
            other => return other,
        }
    }
}

/// Runs statements, none of them with values.
pub(crate) async fn run(connection: &mut Line, sql: String) -> Result<(), sqlx::Error> {
    connection.execute(AssertSqlSafe(sql)).await.map(drop)
}

/// The numbers that a query of one row answers with.
pub(crate) async fn numbers(
    connection: &mut Line,
    sql: String,
) -> Result<Vec<Option<i64>>, sqlx::Error> {
    let row = connection.fetch_one(AssertSqlSafe(sql)).await?;
    (0..row.len()).map(|n| row.try_get_unchecked(n)).collect()
}

/// Takes the lock `name` if nobody has it.
pub(crate) async fn lock(connection: &mut Line, name: &str) -> Result<bool, sqlx::Error> {
    let taken = numbers(connection, format!("SELECT GET_LOCK('{name}', 0)")).await?;
    Ok(taken == [Some(1)])
}

pub(crate) async fn unlock(connection: &mut Line, name: &str) -> Result<(), sqlx::Error> {
    numbers(connection, format!("SELECT RELEASE_LOCK('{name}')"))
        .await
        .map(drop)
}

fn has_one_of(error: &sqlx::Error, numbers: &[u16]) -> bool {
    numbers.iter().any(|number| has_number(error, *number))
}

/// Something of ours went wrong on the server.
pub(crate) fn failed(what: impl Into<String>, error: sqlx::Error) -> Error {
    let denial = error.to_string();
    // Of a database that the user may not see, it is not said whether it is there.
    let is_of_ours = ["green_light'", "gl_"]
        .iter()
        .any(|name| denial.contains(name));
    let help = if has_one_of(&error, &DENIED) && (is_of_ours || !denial.contains(" to database ")) {
        grant(&denial)
    } else {
        help(&error)
    };
    Error::new(Kind::Connection, what).help(help).because(error)
}

/// What to do about an error of a server, if it is not that a right is missing.
pub(crate) fn help(error: &sqlx::Error) -> String {
    let origin = Origin::MYSQL;
    let text = error.to_string();
    match error {
        _ if has_one_of(error, &LOCKED_OUT) => {
            "the server refuses the user of `GREEN_LIGHT_MYSQL_URL`: look at the name, the password, and the hosts \
            from which it may connect; if it may connect over TLS only, write `ssl-mode=REQUIRED` in the URL, for \
            which sqlx needs its feature `tls-rustls` or `tls-native-tls`"
                .to_owned()
        }
        _ if has_one_of(error, &NO_DATABASE) || has_one_of(error, &DENIED) => {
            "name a database that exists in \
            `GREEN_LIGHT_MYSQL_URL`, or none: green-light only connects to it, and makes others from there"
                .to_owned()
        }
        _ if has_one_of(error, &TOO_MANY) => {
            "the server has no connection left: raise `max_connections`, run fewer \
            tests at once, or close what else is connected"
                .to_owned()
        }
        _ if has_one_of(error, &NO_SPACE) => "the disk of the server is full".to_owned(),
        _ if Silence::of(error).is_some() => Silence::HELP.to_owned(),
        sqlx::Error::PoolTimedOut => origin.look(
            "look whether the server of {} is stopped, overloaded or out of connections; \
             `Engine::builder().connection_timeout(..)` makes it wait longer",
        ),
        sqlx::Error::Io(error) => unreachable(origin, error),
        sqlx::Error::Tls(_) => tls(&text, "GREEN_LIGHT_MYSQL_URL"),
        _ => help_for(&text).map_or_else(
            || origin.look("look at the cause, and whether the server of {} runs"),
            str::to_owned,
        ),
    }
}

/// The statements that let the account in `denial` make the databases of ours, and no others.
fn grant(denial: &str) -> String {
    let account = denial
        .split_once(" for user ")
        .and_then(|(_, rest)| rest.split([' ', ';']).next())
        .unwrap_or("'user'@'host'");
    format!(
        "let an administrator run ``GRANT ALL ON `green\\_light`.* TO {account}; \
         GRANT ALL ON `gl\\_%`.* TO {account}``, or name another user in `GREEN_LIGHT_MYSQL_URL`"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn connections_of_our_own_do_not_wait_for_a_table_for_days() {
        let server = crate::local_server::running::mysql().await.unwrap();
        let options: MySqlConnectOptions = server.url().expose().parse().unwrap();
        let mut connection = connect(&options).await.unwrap();
        let waits = "SELECT @@lock_wait_timeout, @@innodb_lock_wait_timeout".to_owned();
        let waits = numbers(&mut connection, waits).await.unwrap();
        assert_eq!(waits, [Some(10), Some(10)]);
        connection.close().await;
    }

    #[tokio::test]
    async fn a_server_that_takes_no_connection_without_a_feature_of_sqlx_names_it() {
        let server = crate::local_server::running::mysql().await.unwrap();
        let options: MySqlConnectOptions = server.url().expose().parse().unwrap();
        let options = options.ssl_mode(sqlx::mysql::MySqlSslMode::Required);
        let error = failed("no connection", connect(&options).await.unwrap_err()).to_string();
        assert!(
            error.contains("help: in `Cargo.toml`, add `tls-rustls`"),
            "{error}"
        );
        assert!(
            error.ends_with("the URL is that of `GREEN_LIGHT_MYSQL_URL`"),
            "{error}"
        );
    }
}
