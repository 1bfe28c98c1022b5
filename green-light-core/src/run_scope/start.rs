//! Starts a keeper: this program again, in a session of its own, with nothing of this process but its environment.

use std::env;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixListener;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use crate::os;
use crate::run_scope::assignment::Assignment;
use crate::run_scope::keeper_files::KeeperFiles;

/// The program that runs, also if its file has been replaced by a newer build meanwhile.
const THIS_PROGRAM: &str = "/proc/self/exe";

/// Starts the keeper for `assignment`, which gets `listener`. libtest calls `test` in it, which finds out that it is to
/// keep a fixture.
pub(crate) fn start(
    assignment: Assignment,
    test: &str,
    listener: UnixListener,
    files: &KeeperFiles,
) -> io::Result<()> {
    let log = files.open_log()?;
    let mut command = Command::new(THIS_PROGRAM);
    command
        .arg0(env::current_exe()?)
        .args([test, &assignment.to_string()])
        .args(["--exact", "--include-ignored", "--nocapture"])
        .args(["--test-threads", "1"])
        .stdin(OwnedFd::from(listener))
        .stdout(log.try_clone()?)
        .stderr(log);
    os::spawn_detached(&mut command)
}
