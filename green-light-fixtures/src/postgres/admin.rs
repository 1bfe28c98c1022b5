//! Connections by which green-light itself asks PostgreSQL, and how SQL writes a name and a text.

use sqlx::{Executor as _, PgConnection, postgres::PgConnectOptions};

use crate::postgres::errors::{TOO_MANY, has_code, help};
use crate::server::server_connection::{OwnedQuery, ReplyStream, ServerConnection};

/// A connection for what green-light itself asks.
pub(crate) type AdminConnection = crate::server::admin_connection::AdminConnection<PgConnection>;

impl ServerConnection for PgConnection {
    const SERVER: &'static str = "PostgreSQL";
    const URL_VARIABLE: &'static str = "GREEN_LIGHT_POSTGRES_URL";

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

    fn send(&mut self, query: OwnedQuery<sqlx::Postgres>) -> ReplyStream<'_, sqlx::Postgres> {
        self.fetch_many(query)
    }
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
