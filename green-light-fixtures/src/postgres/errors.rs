//! What errors of PostgreSQL mean, and what to do about them.

use sqlx::postgres::PgDatabaseError;

use crate::error::Error;
use crate::postgres::local_server::SERVER;
use crate::server::failure;
use crate::server::shortage::refused;

pub(crate) const NO_DATABASE: &str = "3D000";
pub(crate) const DATABASE_EXISTS: &str = "42P04";
pub(crate) const IN_USE: &str = "55006";
pub(crate) const IS_TEMPLATE: &str = "42809";
pub(crate) const UNIQUE: &str = "23505";
pub(crate) const DENIED: &str = "42501";
pub(crate) const NAME_THE_SERVER: &str = "name the server itself in `GREEN_LIGHT_POSTGRES_URL`: a pooler \
     in between, such as PgBouncer, gives each transaction another session, and locks belong to sessions";
pub(crate) const TOO_MANY: [&str; 2] = ["53300", "57P03"];

pub(crate) fn has_code(error: &sqlx::Error, code: &str) -> bool {
    error
        .as_database_error()
        .and_then(|error| error.code())
        .is_some_and(|found| found == code)
}

/// What is wrong with a row, in PostgreSQL's words.
pub(crate) fn violation(error: &PgDatabaseError) -> String {
    match error.detail() {
        Some(detail) => format!("{}: {detail}", error.message()),
        None => error.message().to_owned(),
    }
}

/// Something that green-light itself asked for failed.
pub(crate) fn failed(what: impl Into<String>, error: sqlx::Error) -> Error {
    failure::failed::<sqlx::PgConnection>(what, error)
}

/// What to do about an error of a server.
pub(crate) fn help(error: &sqlx::Error) -> String {
    let text = error.to_string();
    let code = error.as_database_error().and_then(|error| error.code());
    match code.as_deref() {
        Some(DENIED) => format!(
            "the role of {} lacks the right that the cause names: let an administrator grant it, or name \
             another role",
            SERVER.name()
        ),
        Some("28P01") => "the password in `GREEN_LIGHT_POSTGRES_URL` is not the one of its role".to_owned(),
        Some("28000") if asks_for_tls(&text) => SERVER.tls_help(&text),
        Some("28000") if text.contains(" does not exist") => "name a role that the server has in \
            `GREEN_LIGHT_POSTGRES_URL`, or let an administrator run `CREATE ROLE app LOGIN CREATEDB PASSWORD '..'` \
            with the name that the cause has"
            .to_owned(),
        Some("28000") => "the server refuses the role of `GREEN_LIGHT_POSTGRES_URL`: look at the role, and at \
            the `pg_hba.conf` of the server"
            .to_owned(),
        Some(NO_DATABASE) => "name a database that exists in `GREEN_LIGHT_POSTGRES_URL`, such as `postgres`: \
            green-light only connects to it, and makes others from there"
            .to_owned(),
        Some("53300") => refused::<sqlx::PgConnection>(),
        Some("53100") if text.contains("shared memory") => "the server has no room in `/dev/shm`, which a \
            container gets by `--shm-size=256m`"
            .to_owned(),
        Some("53100") => "the disk of the server is full".to_owned(),
        // What a pooler between says to the options and prepared statements of one session.
        Some("08P01" | "26000" | "42P05") => NAME_THE_SERVER.to_owned(),
        _ => SERVER.help(error),
    }
}

/// Whether the server may take this role over TLS, or with a certificate. There is no TLS through a socket.
fn asks_for_tls(text: &str) -> bool {
    let lacks_rule = text.contains("no pg_hba.conf entry for host");
    let is_plain = text.contains("no encryption") || text.contains("SSL off");
    lacks_rule && is_plain && !text.contains("[local]") || text.contains("certificate")
}

#[cfg(test)]
mod tests {
    use sqlx::postgres::{PgConnectOptions, PgSslMode};

    use super::*;
    use crate::server::failure::tests::expect_feature_named;

    #[tokio::test]
    async fn a_server_that_takes_no_connection_without_a_feature_of_sqlx_names_it() {
        let server = SERVER.obtain().await.unwrap();
        let options: PgConnectOptions = SERVER.parse(&server.url).unwrap();
        expect_feature_named::<sqlx::PgConnection>(&options.ssl_mode(PgSslMode::Require)).await;
    }
}
