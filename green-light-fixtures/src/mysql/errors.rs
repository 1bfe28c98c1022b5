//! What errors of MySQL and MariaDB mean, and what to do about them.

use sqlx::mysql::MySqlDatabaseError;

use crate::error::Error;
use crate::mysql::local_server::SERVER;
use crate::server::failure;
use crate::server::shortage::refused;

/// The server, or the user, has as many connections as it may.
pub(crate) const TOO_MANY: [u16; 3] = [1040, 1203, 1226];
/// The server has ended the session: it shuts down, an administrator did, or the client was idle for too long.
pub(crate) const ENDED: [u16; 4] = [1053, 1927, 3169, 4031];
/// The user may not do this.
const DENIED: [u16; 3] = [1044, 1142, 1227];
/// A lock was not given in time.
pub(crate) const LOCKED: [u16; 1] = [1205];
/// The user may not log in.
const LOCKED_OUT: [u16; 2] = [1045, 1698];
const NO_DATABASE: [u16; 1] = [1049];
const NO_SPACE: [u16; 2] = [1021, 1114];

pub(crate) fn has_number(error: &sqlx::Error, number: u16) -> bool {
    error
        .as_database_error()
        .and_then(|error| error.try_downcast_ref::<MySqlDatabaseError>())
        .is_some_and(|error| error.number() == number)
}

pub(crate) fn has_one_of(error: &sqlx::Error, numbers: &[u16]) -> bool {
    numbers.iter().any(|number| has_number(error, *number))
}

/// Something that green-light itself asked for failed.
pub(crate) fn failed(what: impl Into<String>, error: sqlx::Error) -> Error {
    failure::failed::<sqlx::MySqlConnection>(what, error)
}

/// What to do about an error of a server.
pub(crate) fn help(error: &sqlx::Error) -> String {
    let is_denied = has_one_of(error, &DENIED);
    let denial = error.to_string();
    // Of a database that the user may not see, the server does not say whether it exists.
    let is_of_ours = ["green_light'", "gl_"]
        .iter()
        .any(|name| denial.contains(name));
    match () {
        () if is_denied && (is_of_ours || !denial.contains(" to database ")) => grant(&denial),
        () if is_denied || has_one_of(error, &NO_DATABASE) => {
            "name a database that exists in `GREEN_LIGHT_MYSQL_URL`, or none: green-light only connects to it, \
             and makes others from there"
                .to_owned()
        }
        () if has_one_of(error, &LOCKED_OUT) => {
            "the server refuses the user of `GREEN_LIGHT_MYSQL_URL`: look at the name, the password, and the hosts \
             from which it may connect; if it may connect over TLS only, write `ssl-mode=REQUIRED` in the URL, for \
             which sqlx needs its feature `tls-rustls` or `tls-native-tls`"
                .to_owned()
        }
        () if has_one_of(error, &TOO_MANY) => {
            refused::<sqlx::MySqlConnection>()
        }
        () if has_one_of(error, &NO_SPACE) => "the disk of the server is full".to_owned(),
        () => SERVER.help(error),
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
    use sqlx::mysql::{MySqlConnectOptions, MySqlSslMode};

    use super::*;
    use crate::server::failure::tests::expect_feature_named;

    #[tokio::test]
    async fn a_server_that_takes_no_connection_without_a_feature_of_sqlx_names_it() {
        let server = SERVER.obtain().await.unwrap();
        let options: MySqlConnectOptions = SERVER.parse(&server.url).unwrap();
        expect_feature_named::<sqlx::MySqlConnection>(&options.ssl_mode(MySqlSslMode::Required))
            .await;
    }
}
