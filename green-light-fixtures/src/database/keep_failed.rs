//! Databases of failed tests that are kept to be looked at: `GREEN_LIGHT_KEEP=n`, the last `n`.

use green_light_core::note;

use crate::driver::traits::{KeptDatabase, TestDatabase};
use crate::env::{invalid_value, value};
use crate::error::Error;
use crate::test_id::TestId;

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

/// Keeps the database of a failed test, and says where.
pub(crate) async fn keep(
    database: Box<dyn TestDatabase>,
    test: &TestId,
    at_most: usize,
) -> Result<(), Error> {
    let KeptDatabase {
        url,
        server_variable,
    } = database.keep(&test.path, at_most).await?;
    let shown = url.redacted();
    let how = match server_variable {
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
    Ok(())
}

/// Says why there is no database to look at.
pub(crate) fn nothing_to_keep(test: &str) {
    note(&format!(
        "nothing of test `{test}` is kept: its transaction was rolled back\n  \
         help: run it with `GREEN_LIGHT_ISOLATION=database` to look at its database"
    ));
}
