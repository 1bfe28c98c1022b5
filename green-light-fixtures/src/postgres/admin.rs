//! Connections by which green-light itself asks PostgreSQL, and how SQL writes a name and a text.

use sqlx::{
    AssertSqlSafe, Executor as _, PgConnection,
    postgres::{PgConnectOptions, PgDatabaseError, PgSeverity},
};

use crate::postgres::errors::{TOO_MANY, has_code, help};
use crate::server::server_connection::{OwnedQuery, ReplyStream, ServerConnection};

/// A connection for what green-light itself asks.
pub(crate) type AdminConnection = crate::server::admin_connection::AdminConnection<PgConnection>;

impl ServerConnection for PgConnection {
    const SERVER: &'static str = "PostgreSQL";
    const URL_VARIABLE: &'static str = "GREEN_LIGHT_POSTGRES_URL";

    /// It lives as long as its process, and a role or a database may have limits for sessions. Those with a
    /// condition are new in version 14.
    const SETTINGS: &'static str = "SELECT set_config(name, '0', false) FROM unnest(\
        ARRAY['idle_in_transaction_session_timeout', 'statement_timeout', 'lock_timeout'] || \
        CASE WHEN current_setting('server_version_num')::int >= 140000 \
        THEN ARRAY['idle_session_timeout'] ELSE ARRAY[]::text[] END) name \
        UNION ALL SELECT set_config('tcp_keepalives_idle', '30', false) \
        UNION ALL SELECT set_config('tcp_keepalives_interval', '10', false)";

    fn place(options: &PgConnectOptions) -> String {
        let (role, database) = (options.get_username(), options.get_database());
        let host = match options.get_socket() {
            Some(socket) => socket.display().to_string(),
            None => format!("{}:{}", options.get_host(), options.get_port()),
        };
        format!("{role}@{host}/{}", database.unwrap_or_default())
    }

    fn help(error: &sqlx::Error) -> String {
        help(error)
    }

    fn is_full(error: &sqlx::Error) -> bool {
        TOO_MANY.iter().any(|code| has_code(error, code))
    }

    fn has_ended(error: &sqlx::Error) -> bool {
        let error = error.as_database_error();
        let error = error.and_then(|error| error.try_downcast_ref::<PgDatabaseError>());
        error.is_some_and(|error| matches!(error.severity(), PgSeverity::Fatal | PgSeverity::Panic))
    }

    fn send(&mut self, query: OwnedQuery<sqlx::Postgres>) -> ReplyStream<'_, sqlx::Postgres> {
        self.fetch_many(query)
    }
}

/// `sql` with values, as SQL writes them, in place of `$1`, `$2`: SQL that a process sends once takes one message so, and
/// two as a prepared statement.
pub(crate) fn with_values(sql: &str, values: &[&str]) -> AssertSqlSafe<String> {
    let mut pieces = sql.split('$');
    let mut filled = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        // A value is not looked at again: it may hold `$2` itself.
        let digits = piece.chars().take_while(char::is_ascii_digit).count();
        let (number, rest) = piece.split_at(digits);
        let number = number.parse().ok().and_then(|n: usize| n.checked_sub(1));
        match number.and_then(|at| values.get(at)) {
            Some(value) => filled.push_str(value),
            None => filled.extend(["$", &piece[..digits]]),
        }
        filled.push_str(rest);
    }
    AssertSqlSafe(filled)
}

/// A name as SQL writes it.
pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A text as SQL writes it, whatever `standard_conforming_strings` says.
pub(crate) fn literal(text: &str) -> String {
    let text = text.replace('\'', "''");
    if text.contains('\\') {
        format!("E'{}'", text.replace('\\', "\\\\"))
    } else {
        format!("'{text}'")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_put_in_their_places_and_not_looked_at_again() {
        let sql = "SELECT $2, position($1 IN name), $1 FROM t$x WHERE $10 = $3";
        let name = literal("[see green_light_a$2$1]");
        let AssertSqlSafe(filled) = with_values(sql, &[&name, "5", "NULL"]);
        let expected =
            format!("SELECT 5, position({name} IN name), {name} FROM t$x WHERE $10 = NULL");
        assert_eq!(filled, expected);
    }
}
