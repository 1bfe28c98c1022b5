//! Test processes in a target directory of their own, and so with servers of their own: what other
//! tests do meanwhile does not matter.

use std::{
    env,
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::{Duration, Instant},
};

use tempfile::TempDir;

use crate::children::{LONG, playing_with};

pub(crate) struct Checkout {
    directory: TempDir,
    program: PathBuf,
}

impl Checkout {
    pub(crate) fn new() -> Self {
        let program = env::current_exe().unwrap();
        // Beside it, for a hard link reaches no farther than the file system.
        let directory = tempfile::Builder::new()
            .prefix("checkout-")
            .permissions(Permissions::from_mode(0o755))
            .tempdir_in(program.parent().unwrap())
            .unwrap();
        let tag = "Signature: 8a477f597d28d172789f06886806bc55\n";
        fs::write(directory.path().join("CACHEDIR.TAG"), tag).unwrap();
        let linked = directory.path().join("it");
        fs::hard_link(program, &linked).unwrap();
        Self {
            directory,
            program: linked,
        }
    }

    pub(crate) fn program(&self) -> &Path {
        &self.program
    }

    /// A process that plays `part` in the test `name`.
    pub(crate) fn playing(&self, name: &str, part: &str) -> Command {
        playing_with(self.program.clone(), name, part)
    }

    /// Waits until no process of the server with the cluster `data` is left.
    pub(crate) fn stopped(&self, data: &Path) {
        let begun = Instant::now();
        while processes_with(data.parent().unwrap()) > 0 {
            assert!(begun.elapsed() < LONG, "the server is still there");
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// Waits until no process of its servers is left, and removes all files.
    pub(crate) fn end_all(self) {
        self.stopped(&self.directory.path().join("any"));
        self.directory.close().unwrap();
    }

    /// Waits until no process of the server with the cluster `data` is left, and removes its files.
    pub(crate) fn end(self, data: &Path) {
        self.stopped(data);
        let _ = fs::remove_dir_all(data.parent().unwrap());
        self.directory.close().unwrap();
    }
}

/// How many processes have a path below `directory` among their arguments.
fn processes_with(directory: &Path) -> usize {
    let listed = Command::new("ps").args(["-A", "-o", "args="]).output();
    let directory = format!("{}/", directory.display());
    let listed = String::from_utf8_lossy(&listed.unwrap().stdout).into_owned();
    listed
        .lines()
        .filter(|line| line.contains(&directory))
        .count()
}
