//! Which database is meant.

use green_light_fixtures::checkup::DatabaseState;

use crate::databases::found::Found;
use crate::error::Error;
use crate::print::listed;

/// The database of a name, of the beginning of a name, or the latest one of a test.
///
/// # Errors
///
/// When there is none, or several begin so.
pub(crate) fn of_name<'a>(all: &'a [Found], name: &str) -> Result<&'a Found, Error> {
    if let Some(found) = all.iter().find(|found| found.database.name == name) {
        return Ok(found);
    }
    let of_test = all
        .iter()
        .filter(|found| found.is_over() && is_of(found, name));
    if let Some(found) = of_test.min_by_key(|found| found.database.age) {
        return Ok(found);
    }
    let begins = all
        .iter()
        .filter(|found| found.database.name.starts_with(name));
    match begins.collect::<Vec<_>>()[..] {
        [only] => Ok(only),
        [] => Err(
            Error::new(format!("there is no database `{name}` of green-light"))
                .help("name one that `cargo green-light databases list` shows, or its test"),
        ),
        ref several => {
            let names = several
                .iter()
                .map(|found| format!("`{}`", found.database.name));
            Err(Error::new(format!("several databases begin with `{name}`"))
                .help(format!("name one of them: {}", listed(names))))
        }
    }
}

/// Whether a test of that name, with or without its modules, has left the database.
fn is_of(found: &Found, name: &str) -> bool {
    // The name of a file has `_` for what is no letter.
    let plain = |text: &str| text.replace(|letter: char| !letter.is_ascii_alphanumeric(), "_");
    let test = found.database.test.as_deref().map(plain);
    let name = plain(name);
    test.is_some_and(|test| test == name || test.ends_with(&format!("__{name}")))
}

/// The database that was kept last.
///
/// # Errors
///
/// When there is none.
pub(crate) fn latest_kept(all: &[Found]) -> Result<&Found, Error> {
    let kept = all
        .iter()
        .filter(|found| found.database.state == DatabaseState::Kept);
    kept.min_by_key(|found| found.database.age).ok_or_else(|| {
        Error::new("no database is kept").help(
            "`GREEN_LIGHT_ISOLATION=database GREEN_LIGHT_KEEP=1 cargo test` keeps that of the last test that fails; or name a \
             database that `cargo green-light databases list` shows",
        )
    })
}
