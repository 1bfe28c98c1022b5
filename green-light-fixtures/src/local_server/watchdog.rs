//! Starts the supervisor of a server, the shell script `watchdog.sh`, which says how it works.
//!
//! A process is a user of the server while it has the pipe `users` open for writing. The system closes that also after
//! `kill -9`. The supervisor is in a process group of its own and writes to files only, so neither Ctrl-C nor a pipe
//! behind `cargo test` reaches it.

use std::{
    fs::{self, File},
    io::Write as _,
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::error::{Error, Kind};
use crate::failpoint::step;
use crate::files::lock::FileLock;
use crate::local_server::program::ServerProgram;
use crate::local_server::server_dir::{ServerDir, refused};
use crate::local_server::{environment, guarded_file};

pub(crate) const SCRIPT: &str = include_str!("watchdog.sh");

/// How many seconds a server outlives its last user.
const GRACE: &str = if cfg!(test) { "1" } else { "5" };

/// A reference to a server, which runs as long as this lives, and some seconds longer.
#[derive(Debug)]
pub(crate) struct ServerRef {
    users: File,
    /// Where the server's sockets are.
    pub(crate) sockets: PathBuf,
}

impl ServerRef {
    /// Becomes a user of the server of `dir`, if it has a keeper.
    pub(crate) fn join(dir: &ServerDir) -> Option<Self> {
        let before = guarded_file::read(&dir.file("endpoint"));
        let users = open_pipe(dir)?;
        // The keeper removes the endpoint first, and then checks for users.
        let after = guarded_file::read(&dir.file("endpoint"));
        let sockets = PathBuf::from(before.lines().next()?);
        (before == after).then_some(Self { users, sockets })
    }

    /// Makes the keeper stop the server, although it has users.
    pub(crate) fn stop_server(mut self) {
        // If the keeper has ended meanwhile, so has the server.
        let _ = self.users.write_all(b"end\n");
    }
}

/// Whether the server of `dir` has a keeper, even one that is about to end.
pub(crate) fn is_kept(dir: &ServerDir) -> bool {
    open_pipe(dir).is_some()
}

fn open_pipe(dir: &ServerDir) -> Option<File> {
    guarded_file::open_pipe(&dir.file("users")).ok()
}

/// Starts the server of `dir` and its supervisor. It has no user yet.
///
/// The caller holds the lock `start`, and hands over `alive`.
pub(crate) fn spawn(
    program: &ServerProgram,
    dir: &ServerDir,
    executable: &Path,
    sockets: &Path,
    alive: FileLock,
) -> Result<(), Error> {
    for log in ["server.log", "watch.log"] {
        let _ = fs::remove_file(dir.file(log));
    }
    dir.write(
        "endpoint",
        &format!("{}\n{:?}\n", sockets.display(), std::time::Instant::now()),
    )?;
    step("endpoint");
    #[cfg(not(test))]
    let script = SCRIPT;
    #[cfg(test)]
    let script = &crate::local_server::tests::steps::deadly(SCRIPT);
    dir.write("watchdog.sh", script)?;
    step("script");
    let mut command = quiet("sh");
    command
        .arg(dir.file("watchdog.sh"))
        .args([dir.path(), sockets])
        .args([GRACE, program.stop_signal])
        .arg(executable)
        .args((program.arguments)(executable, &dir.data(), sockets))
        .stdin(alive)
        .current_dir(dir.path())
        .process_group(0);
    dir.user().apply_to(&mut command);
    let status = command
        .status()
        .map_err(refused("run `sh` in", dir.path()))?;
    step("spawned");
    if status.success() {
        return Ok(());
    }
    let output = guarded_file::read(&dir.file("watch.log"));
    Err(Error::new(
        Kind::Server,
        format!(
            "{} could not be started in `{}`: {}",
            program.name,
            dir.path().display(),
            output.trim()
        ),
    )
    .help("it needs a file system with named pipes: let `GREEN_LIGHT_DIR` name a local directory"))
}

/// Stops a server whose supervisor was killed, by the process id that the supervisor has written down.
///
/// The caller has found the lock `alive` held, so no other process has that id.
pub(crate) fn kill_orphan(dir: &ServerDir) {
    let number = guarded_file::read(&dir.file("server.pid"));
    if number.trim().parse::<u32>().is_ok() {
        let script = "kill -s TERM \"$1\"; sleep 1; kill -s KILL \"$1\"";
        let mut command = quiet("sh");
        command.args(["-c", script, "sh", number.trim()]);
        dir.user().apply_to(&mut command);
        let _ = command.status();
    }
}

/// A command without input and output, and with an environment of a server.
pub(crate) fn quiet(executable: impl AsRef<Path>) -> Command {
    let mut command = Command::new(executable.as_ref());
    environment::limit(&mut command)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
}
