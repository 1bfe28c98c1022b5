//! `GREEN_LIGHT_LINGER`: for how many seconds a server runs on after its last user, if more than usual.
//!
//! The latest user decides. The supervisor reads the file `linger` each second, once the server would stop.

use std::fs;

use crate::env::{invalid_value, value};
use crate::error::Error;
use crate::local_server::server_dir::ServerDir;

const VARIABLE: &str = "GREEN_LIGHT_LINGER";
const FILE: &str = "linger";
/// A day. A forgotten server must not run for ever.
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

/// Writes `seconds` for the supervisor of `dir`.
pub(crate) fn write_linger(dir: &ServerDir, seconds: u32) -> Result<(), Error> {
    if seconds > 0 {
        return dir.write(FILE, &seconds.to_string());
    }
    // Usually there is none.
    let _ = fs::remove_file(dir.file(FILE));
    Ok(())
}
