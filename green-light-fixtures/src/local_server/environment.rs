//! The environment of a server and of the programs that make its cluster: what they need, and nothing of the tests'.
//!
//! A test process has passwords and tokens in its environment, the variables of other servers, and a locale. A server
//! that is shared by all processes would have those of the one that happened to start it.

use std::{env, process::Command};

/// The variables that reach them: where programs, libraries, locales and time zones are, and where to put files.
pub(crate) const PASSED: [&str; 13] = [
    "PATH",
    "HOME",
    "TMPDIR",
    "TZ",
    "TZDIR",
    "LD_LIBRARY_PATH",
    "DYLD_LIBRARY_PATH",
    "DYLD_FALLBACK_LIBRARY_PATH",
    // Where locales are, on Nix and Guix.
    "LOCALE_ARCHIVE",
    "LOCPATH",
    // What stands in `PATH` may look there for the program itself.
    "ASDF_DIR",
    "ASDF_DATA_DIR",
    "MISE_DATA_DIR",
];

/// Leaves nothing in the environment of `command` but these.
pub(crate) fn limit(command: &mut Command) -> &mut Command {
    command.env_clear();
    let found = PASSED
        .iter()
        .filter_map(|name| Some((*name, env::var_os(name)?)));
    command.envs(found)
}
