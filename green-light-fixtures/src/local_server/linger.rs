//! How long a server stays after a run, if that asks for more than the usual seconds: `GREEN_LIGHT_LINGER`.
//!
//! The latest process that comes has the say. The supervisor reads what it has left in the file
//! `linger`, each second, from the moment on in which the server would stop.

use std::fs;

use crate::env::{invalid_value, value};
use crate::error::Error;
use crate::local_server::server_dir::Home;

const VARIABLE: &str = "GREEN_LIGHT_LINGER";
const FILE: &str = "linger";
/// A day: nobody looks at a database for longer, and a forgotten server is one too many.
const MOST: u32 = 86_400;

/// How many seconds this run asks for.
///
/// # Errors
///
/// When the variable does not hold such a number.
pub(crate) fn asked() -> Result<u32, Error> {
    let Some(text) = value(VARIABLE) else {
        return Ok(0);
    };
    let seconds = text.parse().ok().filter(|seconds| *seconds <= MOST);
    seconds.ok_or_else(|| {
        let help = format!(
            "write for how many seconds after the tests their servers are to run, {MOST} at most, or unset it"
        );
        invalid_value(VARIABLE, &text, &help)
    })
}

/// Leaves word for the supervisor of `home`.
pub(crate) fn leave_word(home: &Home, seconds: u32) -> Result<(), Error> {
    if seconds > 0 {
        return home.write(FILE, &seconds.to_string());
    }
    // Hardly ever is there one.
    let _ = fs::remove_file(home.file(FILE));
    Ok(())
}
