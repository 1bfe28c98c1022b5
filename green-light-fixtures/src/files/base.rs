//! Where green-light has its files.

use std::{env, path::PathBuf};

/// The directory `green-light` in the target directory of the running test, or in the system's
/// temporary one if the executable is not in a target directory.
pub(crate) fn default_base() -> PathBuf {
    target_base().unwrap_or_else(|| env::temp_dir().join("green-light"))
}

/// The directory `green-light` in the target directory of the running test, if it has one. Other programs do not
/// writes there.
pub(crate) fn target_base() -> Option<PathBuf> {
    let executable = env::current_exe().ok()?;
    let target = executable
        .ancestors()
        .find(|path| path.join("CACHEDIR.TAG").is_file());
    target.map(|target| target.join("green-light"))
}
