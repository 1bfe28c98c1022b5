//! How much longer a server stays after a run that asks for it: `GREEN_LIGHT_LINGER`.
//!
//! The latest process that comes has the say. The supervisor reads what it has left in the file
//! `linger`, each second, from the moment on in which the server would stop.

use std::{env, fs};

use super::home::Home;
use crate::error::{Error, Kind};

const VARIABLE: &str = "GREEN_LIGHT_LINGER";
const FILE: &str = "linger";
/// A day: nobody looks at a database for longer, and a forgotten server is one too many.
const MOST: u32 = 86_400;

/// How many seconds this run asks for.
///
/// # Errors
///
/// When the variable does not hold such a number.
pub(super) fn asked() -> Result<u32, Error> {
    let text = env::var(VARIABLE).unwrap_or_default();
    let text = text.trim();
    if text.is_empty() {
        return Ok(0);
    }
    match text.parse() {
        Ok(seconds) if seconds <= MOST => Ok(seconds),
        _ => Err(Error::new(
            Kind::Configuration,
            format!("`{VARIABLE}={text}` is not understood"),
        )
        .help(format!(
            "write for how many seconds after the tests their servers are to run, {MOST} at most, or unset it"
        ))),
    }
}

/// Leaves word for the supervisor of `home`.
pub(super) fn leave_word(home: &Home, seconds: u32) -> Result<(), Error> {
    if seconds > 0 {
        return home.write(FILE, &seconds.to_string());
    }
    // Hardly ever is there one.
    let _ = fs::remove_file(home.file(FILE));
    Ok(())
}
