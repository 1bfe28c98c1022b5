//! Identifies this build of the test program.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
    sync::{
        LazyLock,
        atomic::{AtomicU64, Ordering},
    },
    time::SystemTime,
};

/// The path of the program that runs this, and a text that changes when it is built again.
pub(crate) fn path_and_stamp() -> io::Result<(PathBuf, String)> {
    let program = env::current_exe()?;
    let stamp = stamp(&program)?;
    Ok((program, stamp))
}

/// A text that no other call returns, in this process or another one.
pub(crate) fn never_equal() -> String {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    static BEGUN: LazyLock<SystemTime> = LazyLock::new(SystemTime::now);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    format!("process {} {:?} {number}", std::process::id(), *BEGUN)
}

/// A text that changes when the file does.
pub(crate) fn stamp(file: &Path) -> io::Result<String> {
    let file = fs::metadata(file)?;
    Ok(format!("{} {:?}", file.len(), file.modified()?))
}
