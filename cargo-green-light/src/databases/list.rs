//! The databases as a table.

use green_light_fixtures::checkup::DatabaseState;

use crate::databases::found::Found;
use crate::print::{FAINT, GOOD, NOTE, STRONG, age, bytes, count};

/// Prints those that tests have, have left or have kept; or `all`.
pub(crate) fn print(found: &[Found], all: bool) {
    let is_shown = |found: &&Found| {
        let state = found.database.state;
        all || !matches!(state, DatabaseState::Ready | DatabaseState::Template)
    };
    let shown: Vec<_> = found.iter().filter(is_shown).collect();
    if shown.is_empty() {
        anstream::println!("no database is in use, left or kept");
    } else {
        anstream::println!(
            "{STRONG}{:<9} {:>7} {:>9}  database{STRONG:#}",
            "state",
            "age",
            "size"
        );
    }
    for found in &shown {
        let database = &found.database;
        let style = match database.state {
            DatabaseState::Kept => GOOD,
            DatabaseState::Left => NOTE,
            _ => FAINT,
        };
        anstream::println!(
            "{style}{:<9}{style:#} {:>7} {:>9}  {}{}",
            database.state.name(),
            database.age.map(age).unwrap_or_default(),
            database.size.map(bytes).unwrap_or_default(),
            database.name,
            of(found)
        );
        if database.state == DatabaseState::Kept {
            anstream::println!("{:29}{FAINT}{}{FAINT:#}", "", database.url.redacted());
        }
    }
    let hidden = found.len() - shown.len();
    if hidden > 0 {
        anstream::println!(
            "{FAINT}besides, {} for the next tests: `--all` shows them{FAINT:#}",
            count(hidden, "database")
        );
    }
}

/// Whose it is.
pub(crate) fn of(found: &Found) -> String {
    let database = &found.database;
    let test = database.test.as_ref().map(|test| format!("of `{test}`"));
    let process = database
        .process
        .map(|process| format!("of process {process}"));
    let sessions = usize::try_from(database.sessions).unwrap_or_default();
    let sessions = (sessions > 0).then(|| format!("with {}", count(sessions, "session")));
    let parts: Vec<String> = [test, process, sessions].into_iter().flatten().collect();
    match parts.is_empty() {
        true => String::new(),
        false => format!("  {}", parts.join(", ")),
    }
}
