//! Databases of failed tests that are kept to be looked at: `GREEN_LIGHT_KEEP=n`, the last `n`.

use green_light_core::note;

use crate::env::{invalid_value, value};
use crate::error::Error;
#[cfg(feature = "sqlite")]
use crate::sqlite::file::DatabaseFile;
use crate::url::DatabaseUrl;

const VARIABLE: &str = "GREEN_LIGHT_KEEP";

/// How many databases of failed tests are kept, the oldest going first; none unless asked for.
///
/// # Errors
///
/// When the variable does not hold a number.
pub(crate) fn limit() -> Result<usize, Error> {
    let Some(text) = value(VARIABLE) else {
        return Ok(0);
    };
    text.parse().map_err(|_| {
        let help =
            "write how many databases of failed tests to keep, the latest of all runs, or unset it";
        invalid_value(VARIABLE, &text, help)
    })
}

/// Keeps a database of SQLite.
#[cfg(feature = "sqlite")]
pub(crate) fn file(file: DatabaseFile, test: &str, at_most: usize) -> Result<(), Error> {
    tell(test, &file.keep(test, at_most)?, None);
    Ok(())
}

/// Keeps a database of PostgreSQL.
#[cfg(feature = "postgres")]
pub(crate) async fn postgres(
    claim: crate::server::database_lease::DatabaseLease<crate::postgres::server::PostgresServer>,
    test: &str,
    at_most: usize,
) -> Result<(), Error> {
    let url = claim.url().clone();
    claim.keep(at_most).await?;
    tell(test, &url, Some("GREEN_LIGHT_POSTGRES_URL"));
    Ok(())
}

/// Keeps a database of MySQL.
#[cfg(feature = "mysql")]
pub(crate) async fn mysql(
    claim: crate::server::database_lease::DatabaseLease<crate::mysql::server::MySqlServer>,
    test: &str,
    at_most: usize,
) -> Result<(), Error> {
    let url = claim.url().clone();
    claim.keep(at_most).await?;
    tell(test, &url, Some("GREEN_LIGHT_MYSQL_URL"));
    Ok(())
}

/// Says where a kept database is, and how to get there.
fn tell(test: &str, url: &DatabaseUrl, variable: Option<&str>) {
    let shown = url.redacted();
    let how = match variable {
        Some(variable) if shown != url.expose() => {
            format!("\n  the password is that of `{variable}`")
        }
        Some(variable) => format!(
            "\n  unless `{variable}` is set, its server stops some seconds after the tests\n  \
             help: with `GREEN_LIGHT_LINGER=600` it stays for ten minutes more"
        ),
        None => String::new(),
    };
    note(&format!(
        "the database of test `{test}` is kept: {shown}{how}"
    ));
}

/// Says why there is no database to look at.
pub(crate) fn nothing_to_keep(test: &str) {
    note(&format!(
        "nothing of test `{test}` is kept: its transaction was rolled back\n  \
         help: run it with `GREEN_LIGHT_ISOLATION=database` to look at its database"
    ));
}
