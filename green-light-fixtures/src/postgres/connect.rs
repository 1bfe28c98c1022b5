//! Connecting to a server that may have no connection left, and asking it one thing.

use sqlx::{Executor as _, PgConnection, postgres::PgConnectOptions};

use crate::{
    error::{Error, Kind},
    upkeep::{self, Answer, Asked, Served, Silence, Waiting},
};

/// A connection for what green-light itself asks.
pub(crate) type Line = upkeep::Line<PgConnection>;

impl Served for PgConnection {
    const SERVER: &'static str = "PostgreSQL";

    fn place(options: &PgConnectOptions) -> String {
        let (role, database) = (options.get_username(), options.get_database());
        let host = match options.get_socket() {
            Some(socket) => socket.display().to_string(),
            None => format!("{}:{}", options.get_host(), options.get_port()),
        };
        format!("{role}@{host}/{}", database.unwrap_or_default())
    }

    fn ask(&mut self, asked: Asked<sqlx::Postgres>) -> Answer<'_, sqlx::Postgres> {
        self.fetch_many(asked)
    }
}

pub(super) const NO_DATABASE: &str = "3D000";
pub(super) const DATABASE_EXISTS: &str = "42P04";
pub(super) const IN_USE: &str = "55006";
pub(super) const UNIQUE: &str = "23505";
pub(super) const DENIED: &str = "42501";
pub(super) const NAME_THE_SERVER: &str = "name the server itself in `GREEN_LIGHT_POSTGRES_URL`: a pooler \
     in between, such as PgBouncer, gives each transaction another session, and locks belong to sessions";
const TOO_MANY: [&str; 2] = ["53300", "57P03"];

/// Connects; waits while the server has no connection left.
pub(super) async fn connect(options: &PgConnectOptions) -> Result<Line, sqlx::Error> {
    let mut waiting = Waiting::new();
    loop {
        match Line::to(options).await {
            Err(error) if waiting.is_worth_it() && TOO_MANY.iter().any(|c| has_code(&error, c)) => {
                waiting
                    .pause(|| format!("the server has no connection left ({error})"))
                    .await;
            }
            other => return other,
        }
    }
}

/// Runs statements, none of them with values, that may not be prepared.
pub(super) async fn run(connection: &mut Line, sql: String) -> Result<(), sqlx::Error> {
    connection.execute(sqlx::AssertSqlSafe(sql)).await.map(drop)
}

pub(super) fn has_code(error: &sqlx::Error, code: &str) -> bool {
    error
        .as_database_error()
        .and_then(|error| error.code())
        .is_some_and(|found| found == code)
}

/// Something of ours went wrong on the server.
pub(crate) fn failed(what: impl Into<String>, error: sqlx::Error) -> Error {
    let help = match error.as_database_error().and_then(|e| e.code()).as_deref() {
        Some(DENIED) => {
            "the role of `GREEN_LIGHT_POSTGRES_URL` lacks the right that the cause names: let an \
             administrator grant it, or name another role"
        }
        Some("28P01") => "the password in `GREEN_LIGHT_POSTGRES_URL` is not the one of its role",
        Some("28000") => {
            "the server does not let the role of `GREEN_LIGHT_POSTGRES_URL` in: look at the role, and \
             at the `pg_hba.conf` of the server"
        }
        Some(NO_DATABASE) => {
            "name a database that is there in `GREEN_LIGHT_POSTGRES_URL`, such as `postgres`: it is only \
             connected to, to make others"
        }
        Some("53300") => {
            "the server has no connection left: raise `max_connections`, run fewer tests at once, \
             or close what else is connected"
        }
        Some("53100") => "the disk of the server is full",
        // What a pooler between says to the options and prepared statements of one session.
        Some("08P01" | "26000" | "42P05") => NAME_THE_SERVER,
        _ if Silence::of(&error).is_some() => Silence::HELP,
        _ if matches!(error, sqlx::Error::PoolTimedOut) => {
            "look whether the server of `GREEN_LIGHT_POSTGRES_URL` is stopped, overloaded or out of \
             connections; `Engine::builder().connection_timeout(..)` makes it wait longer"
        }
        _ if matches!(error, sqlx::Error::Io(_)) => {
            "nobody answers there: look at host and port in `GREEN_LIGHT_POSTGRES_URL`, and whether its \
             server runs"
        }
        _ => "look at the cause, and whether the server of `GREEN_LIGHT_POSTGRES_URL` runs",
    };
    Error::new(Kind::Connection, what).help(help).because(error)
}

/// A name as SQL writes it.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A text as SQL writes it, whatever `standard_conforming_strings` says.
pub(super) fn literal(text: &str) -> String {
    let text = text.replace('\'', "''");
    if text.contains('\\') {
        format!("E'{}'", text.replace('\\', "\\\\"))
    } else {
        format!("'{text}'")
    }
}
