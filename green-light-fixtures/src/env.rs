//! The `GREEN_LIGHT_*` variables of the database layer.
//!
//! A value that is not understood is an error in every test that needs a database, also where the value would not
//! matter: otherwise a typo would look like a feature that does not work.

use std::{
    env,
    hash::{BuildHasher as _, RandomState},
    sync::LazyLock,
};

use crate::error::{Error, Kind};

/// Asks for every template to be built again.
const REBUILD: &str = "GREEN_LIGHT_REBUILD";

/// The value of the variable `name`, without blanks around it. `None` if it is empty.
pub(crate) fn value(name: &str) -> Option<String> {
    let value = env::var_os(name)?;
    let value = value.to_string_lossy();
    let value = value.trim();
    (!value.is_empty()).then(|| value.to_owned())
}

/// The error about a `value` that the variable `name` cannot have.
pub(crate) fn invalid_value(name: &str, value: &str, help: &str) -> Error {
    let fact = format!("`{name}={value}` is not understood");
    Error::new(Kind::Configuration, fact).help(help)
}

/// The run that builds every template again, each once, if this is one. A run is all processes of nextest together, or
/// one process of `cargo test`.
///
/// For what no comparison of schemas can see: a seed that was changed without its key, an extension of the server,
/// what an administrator has put into `template1`.
///
/// # Errors
///
/// When the variable holds anything but `0` and `1`.
pub(crate) fn forced_rebuild() -> Result<Option<&'static str>, Error> {
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
    match value(REBUILD).as_deref() {
        None | Some("0") => Ok(None),
        Some("1") => Ok(Some(&RUN)),
        Some(text) => {
            let help = "write `1` to build every template again, once in a run, or unset it";
            Err(invalid_value(REBUILD, text, help))
        }
    }
}
