//! Connections by which green-light itself asks MySQL, and what it asks in several places.

use std::time::Duration;

use sqlx::{AssertSqlSafe, Executor as _, MySqlConnection, Row as _, mysql::MySqlConnectOptions};

use crate::mysql::errors::{ENDED, TOO_MANY, has_one_of, help};
use crate::server::server_connection::{OwnedQuery, ReplyStream, ServerConnection};

/// A connection for what green-light itself asks.
pub(crate) type AdminConnection = crate::server::admin_connection::AdminConnection<MySqlConnection>;

impl ServerConnection for MySqlConnection {
    const SERVER: &'static str = "MySQL";
    const URL_VARIABLE: &'static str = "GREEN_LIGHT_MYSQL_URL";

    /// It sees at once what others write, waits 10 s at most for a table that a test still reads, and is not
    /// closed when idle.
    const SETTINGS: &'static str = "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED; \
        SET SESSION lock_wait_timeout = 10, SESSION innodb_lock_wait_timeout = 10, \
        SESSION wait_timeout = 2147483, SESSION interactive_timeout = 2147483 \
        /*M!100300 , SESSION idle_transaction_timeout = 0, SESSION max_statement_time = 0 */";

    fn place(options: &MySqlConnectOptions) -> String {
        let (user, database) = (options.get_username(), options.get_database());
        let host = match options.get_socket() {
            Some(socket) => socket.display().to_string(),
            None => format!("{}:{}", options.get_host(), options.get_port()),
        };
        format!("{user}@{host}/{}", database.unwrap_or_default())
    }

    fn help(error: &sqlx::Error) -> String {
        help(error)
    }

    fn is_full(error: &sqlx::Error) -> bool {
        has_one_of(error, &TOO_MANY)
    }

    fn has_ended(error: &sqlx::Error) -> bool {
        has_one_of(error, &ENDED)
    }

    fn send(&mut self, query: OwnedQuery<sqlx::MySql>) -> ReplyStream<'_, sqlx::MySql> {
        self.fetch_many(query)
    }
}

/// How long connections of green-light wait for a lock, as in their settings.
pub(crate) const LONG: &str =
    "SET SESSION lock_wait_timeout = 10, SESSION innodb_lock_wait_timeout = 10";
/// How often to look for connections that are to end.
const KILL_ROUNDS: usize = 500;

/// The numbers that a query of one row answers with.
pub(crate) async fn numbers(
    connection: &mut AdminConnection,
    sql: String,
) -> Result<Vec<Option<i64>>, sqlx::Error> {
    let row = connection.fetch_one(AssertSqlSafe(sql)).await?;
    (0..row.len()).map(|n| row.try_get_unchecked(n)).collect()
}

/// The number that a query answers with.
pub(crate) async fn number(
    connection: &mut AdminConnection,
    sql: String,
) -> Result<i64, sqlx::Error> {
    let found = numbers(connection, sql).await?;
    Ok(found.into_iter().flatten().sum())
}

/// Takes the lock `name` if it is free.
pub(crate) async fn lock(
    connection: &mut AdminConnection,
    name: &str,
) -> Result<bool, sqlx::Error> {
    let taken = numbers(connection, format!("SELECT GET_LOCK('{name}', 0)")).await?;
    Ok(taken == [Some(1)])
}

pub(crate) async fn unlock(
    connection: &mut AdminConnection,
    name: &str,
) -> Result<(), sqlx::Error> {
    numbers(connection, format!("SELECT RELEASE_LOCK('{name}')"))
        .await
        .map(drop)
}

/// The names in the first column of what `query` finds.
pub(crate) async fn names(
    connection: &mut AdminConnection,
    query: String,
) -> Result<Vec<String>, sqlx::Error> {
    let rows = connection.fetch_all(AssertSqlSafe(query)).await?;
    rows.iter().map(|row| row.try_get_unchecked(0)).collect()
}

/// A text as SQL writes it.
pub(crate) fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
}

/// A name as SQL writes it.
pub(crate) fn quoted(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

/// Ends every connection to the database `name`, and waits a little until they are gone.
///
/// Those of users with more rights cannot be ended.
pub(crate) async fn end_connections(
    connection: &mut AdminConnection,
    name: &str,
) -> Result<(), sqlx::Error> {
    let found = format!(
        "SELECT concat('KILL ', id) FROM information_schema.processlist \
         WHERE db = '{name}' AND id <> connection_id()"
    );
    for _ in 0..KILL_ROUNDS {
        let kills = names(connection, found.clone()).await?;
        if kills.is_empty() {
            return Ok(());
        }
        for kill in kills {
            // It may have gone by itself meanwhile.
            let _ = connection.run(kill).await;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn connections_of_our_own_do_not_wait_for_a_table_for_days() {
        let server = crate::mysql::local_server::SERVER.obtain().await.unwrap();
        let options: MySqlConnectOptions = server.url.expose().parse().unwrap();
        let mut connection = AdminConnection::connect_to_enter(&options).await.unwrap();
        let waits = "SELECT @@lock_wait_timeout, @@innodb_lock_wait_timeout".to_owned();
        let waits = numbers(&mut connection, waits).await.unwrap();
        assert_eq!(waits, [Some(10), Some(10)]);
        connection.close().await;
    }
}
