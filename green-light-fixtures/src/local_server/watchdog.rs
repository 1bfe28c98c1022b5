//! Starting the server's own supervisor, a small shell script, and being seen by it.
//!
//! The script is in `watchdog.sh`, which states how it works. A user of the server is a process that has
//! the pipe `users` open for writing; that is all there is to it, so `kill -9` cannot leave anything
//! behind. The supervisor is in a process group of its own, reads nothing, and writes to files only:
//! neither Ctrl-C nor a pipe behind `cargo test` has to do with it.

use std::{
    env,
    fs::{self, File, OpenOptions},
    io::Write as _,
    os::unix::{fs::OpenOptionsExt as _, process::CommandExt as _},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::error::{Error, Kind};
use crate::failpoint::step;
use crate::files::lock::FileLock;
use crate::local_server::program::Product;
use crate::local_server::server_dir::{Home, refused};

pub(crate) const SCRIPT: &str = include_str!("watchdog.sh");

/// How many seconds a server outlives its last user.
const GRACE: &str = if cfg!(test) { "1" } else { "5" };

/// Being a user of a server: it runs for as long as this lives, and some seconds longer.
#[derive(Debug)]
pub(crate) struct Use {
    users: File,
    /// Where the server's sockets are.
    pub(crate) sockets: PathBuf,
}

impl Use {
    /// Becomes a user of the server of `home`, if somebody keeps it running or starting.
    pub(crate) fn join(home: &Home) -> Option<Self> {
        let before = fs::read_to_string(home.file("endpoint")).ok()?;
        let users = open_pipe(home)?;
        // The keeper withdraws the endpoint first and looks for users then.
        let after = fs::read_to_string(home.file("endpoint")).ok()?;
        let sockets = PathBuf::from(before.lines().next()?);
        (before == after).then_some(Self { users, sockets })
    }

    /// Makes the keeper stop the server, although it has users.
    pub(crate) fn end(mut self) {
        // A keeper that has gone in the meantime is as good.
        let _ = self.users.write_all(b"end\n");
    }
}

/// Whether a keeper is there, even one that is about to end.
pub(crate) fn is_kept(home: &Home) -> bool {
    open_pipe(home).is_some()
}

fn open_pipe(home: &Home) -> Option<File> {
    // Without a reader this fails at once, which is what the flag is for.
    OpenOptions::new()
        .write(true)
        .custom_flags(libc::O_NONBLOCK)
        .open(home.file("users"))
        .ok()
}

/// Starts the server of `home` and its supervisor. It has no user yet.
///
/// The caller holds the lock `start`, and hands over `alive`.
pub(crate) fn spawn(
    product: &Product,
    home: &Home,
    program: &Path,
    sockets: &Path,
    alive: FileLock,
) -> Result<(), Error> {
    for log in ["server.log", "watch.log"] {
        let _ = fs::remove_file(home.file(log));
    }
    home.write(
        "endpoint",
        &format!("{}\n{:?}\n", sockets.display(), std::time::Instant::now()),
    )?;
    step("endpoint");
    #[cfg(not(test))]
    let script = SCRIPT;
    #[cfg(test)]
    let script = &crate::local_server::tests::steps::deadly(SCRIPT);
    home.write("watchdog.sh", script)?;
    step("script");
    let mut command = quiet("sh");
    command
        .arg(home.file("watchdog.sh"))
        .args([home.path(), sockets])
        .args([GRACE, product.stop])
        .arg(program)
        .args((product.arguments)(program, &home.data(), sockets))
        .stdin(alive)
        .current_dir(home.path())
        .process_group(0);
    home.user().runs(&mut command);
    let status = command
        .status()
        .map_err(|error| refused("run `sh` in", home.path(), &error))?;
    step("spawned");
    if status.success() {
        return Ok(());
    }
    let said = fs::read_to_string(home.file("watch.log")).unwrap_or_default();
    Err(Error::new(
        Kind::Server,
        format!(
            "{} could not be started in `{}`: {}",
            product.name,
            home.path().display(),
            said.trim()
        ),
    )
    .help("it needs a file system with named pipes: let `CARGO_TARGET_DIR` name a local directory"))
}

/// Stops a server whose supervisor was killed, by the number the supervisor has written down.
///
/// The caller has found the lock `alive` held, so the number has not been given to another process.
pub(crate) fn kill_orphan(home: &Home) {
    let number = fs::read_to_string(home.file("server.pid")).unwrap_or_default();
    if number.trim().parse::<u32>().is_ok() {
        let script = "kill -s TERM \"$1\"; sleep 1; kill -s KILL \"$1\"";
        let mut command = quiet("sh");
        command.args(["-c", script, "sh", number.trim()]);
        home.user().runs(&mut command);
        let _ = command.status();
    }
}

/// A command without the settings meant for other servers, whose words go nowhere.
pub(crate) fn quiet(program: impl AsRef<Path>) -> Command {
    let mut command = Command::new(program.as_ref());
    for (name, _) in env::vars_os() {
        let text = name.to_string_lossy();
        if ["PG", "MYSQL", "LC_", "LANG"]
            .iter()
            .any(|p| text.starts_with(p))
        {
            command.env_remove(name);
        }
    }
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
}
