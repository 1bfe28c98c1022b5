//! `GREEN_LIGHT_REBUILD=1`: templates are built anew, each once in a run, whatever was kept.
//!
//! For what no comparison of schemas can see: a seed with a key that was not changed, an extension of the
//! server, what an administrator has put into `template1`.

use std::{
    env,
    hash::{BuildHasher as _, RandomState},
    sync::LazyLock,
};

use crate::env::{not_understood, value};
use crate::error::Error;

const VARIABLE: &str = "GREEN_LIGHT_REBUILD";

/// The run in which templates are built anew, if this is one.
///
/// A run is all processes of nextest together, or one process of `cargo test`.
///
/// # Errors
///
/// When the variable holds anything but `0` and `1`.
pub(crate) fn wanted() -> Result<Option<&'static str>, Error> {
    static RUN: LazyLock<String> = LazyLock::new(|| {
        let own = || {
            let random = RandomState::new().hash_one(env::current_exe().ok());
            format!("{}-{random:016x}", std::process::id())
        };
        let run = env::var("NEXTEST_RUN_ID").unwrap_or_else(|_| own());
        // It stands in SQL, and in a column of this width.
        let is_plain = |c: &char| c.is_ascii_alphanumeric() || *c == '-';
        run.chars().filter(is_plain).take(64).collect()
    });
    match value(VARIABLE).as_deref() {
        None | Some("0") => Ok(None),
        Some("1") => Ok(Some(&RUN)),
        Some(text) => {
            let help = "write `1` to build every template again, once in a run, or unset it";
            Err(not_understood(VARIABLE, text, help))
        }
    }
}
