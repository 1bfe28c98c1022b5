//! The directory of one server: its cluster, its locks, and how to reach it.
//!
//! There is one for each checkout, user and installed program, so a cluster is only opened by the program that made it.
//! It has two locks, which the system releases also after a `kill -9` or a reboot:
//!
//! * `start`, held by the process that starts a server;
//! * `alive`, held by the server and its supervisor.
//!
//! A process that holds both has the directory to itself.

use std::{
    fs::{self, DirBuilder, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _},
    path::{Path, PathBuf},
    time::UNIX_EPOCH,
};

use crate::digest::short_digest;
use crate::error::{Error, Kind};
use crate::failpoint::step;
use crate::files::atomic_write::atomic_write;
use crate::files::base;
use crate::files::lock::FileLock;
use crate::files::owner::make;
use crate::local_server::guarded_file;
use crate::local_server::run_as::RunAs;

/// The path of a unix socket may have 108 bytes, 104 on macOS, the final zero included.
const LONGEST_SOCKET: usize = 103;
/// How the name of a directory for sockets begins that is not in the directory of the server.
const SOCKETS: &str = "green-light-run-";
/// Changes with the settings that a cluster is made with. Clusters that were made with others are removed.
const LAYOUT: u32 = 2;
/// Held by a process that has databases in files of a directory.
const FILES_LOCK: &str = "green-light.lock";
/// The directory for temporary files of the server.
pub(crate) const TEMPORARY: &str = "tmp";

#[derive(Clone, Debug)]
pub(crate) struct ServerDir {
    path: PathBuf,
    user: RunAs,
}

impl ServerDir {
    /// The directory for servers of `executable`, below `base` or, if `user` cannot get there, below the
    /// system's temporary directory.
    pub(crate) fn open(
        base: &Path,
        slug: &str,
        executable: &Path,
        user: RunAs,
    ) -> Result<Self, Error> {
        let stamp = stamp(executable).map_err(refused("look at", executable))?;
        let name = format!(
            "{slug}-{}",
            short_hash(&format!("{} {stamp}", user.asking()))
        );
        let mut parent = base.join("servers");
        if !user.can_enter(&parent) {
            let (wanted, temporary) = (parent, std::env::temp_dir());
            if base::is_named() || !user.can_enter(&temporary) {
                return Err(out_of_reach(&wanted, &temporary));
            }
            parent = base::in_temporary(&wanted).map_err(refused("write to", &temporary))?;
        }
        make(&parent).map_err(refused("make", &parent))?;
        let dir = Self {
            path: parent.join(name),
            user,
        };
        dir.make(&dir.path)?;
        step("home");
        let executable = dir.file("program");
        if !executable.exists() {
            guarded_file::create(&executable)
                .and_then(|mut file| file.write_all(stamp.as_bytes()))
                .map_err(refused("write to", &executable))?;
        }
        Ok(dir)
    }

    /// Makes a directory that only the server's user can enter. It may exist, if it belongs to that user.
    pub(crate) fn make(&self, path: &Path) -> Result<(), Error> {
        match DirBuilder::new().mode(0o700).create(path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                let found = fs::symlink_metadata(path).map_err(refused("look at", path))?;
                match found.uid() {
                    owner if found.is_dir() && owner == self.user.running() => return Ok(()),
                    // Its maker was killed before it gave it away.
                    owner if found.is_dir() && owner == self.user.asking() => {}
                    _ => return Err(of_another_user(path)),
                }
            }
            made => made.map_err(refused("make", path))?,
        }
        self.user.give(path).map_err(refused("give away", path))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn user(&self) -> RunAs {
        self.user
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// The cluster: there only if it was made to the end.
    pub(crate) fn data(&self) -> PathBuf {
        self.file("data")
    }

    /// Takes the lock `name` if it is free.
    pub(crate) fn try_lock(&self, name: &str) -> Result<Option<FileLock>, Error> {
        let path = self.file(name);
        guarded_file::open(OpenOptions::new().create(true).append(true), &path)
            .and_then(FileLock::try_lock)
            .map_err(refused("lock", &path))
    }

    /// Writes `text` to the file `name`, at once for its readers.
    pub(crate) fn write(&self, name: &str, text: &str) -> Result<(), Error> {
        let (path, draft) = (self.file(name), self.file(&format!("{name}.new")));
        atomic_write(&path, &draft, text.as_bytes())
            .and_then(|()| guarded_file::let_read(&path))
            .map_err(refused("write to", &path))
    }

    /// Makes the directory for `socket`, which must have a short path. The caller holds both locks.
    pub(crate) fn make_socket_directory(&self, socket: &str) -> Result<PathBuf, Error> {
        let elsewhere = Path::new("/tmp");
        let mut directory = self.file("run");
        let _ = fs::remove_dir_all(&directory);
        let last = guarded_file::read(&self.file("sockets"));
        let name = Path::new(&last).file_name().unwrap_or_default();
        let is_ours = name.to_string_lossy().starts_with(SOCKETS);
        if is_ours && Path::new(&last).parent() == Some(elsewhere) {
            let _ = fs::remove_dir_all(last);
        }
        // The server makes a lock file beside the socket.
        let longest = directory.as_os_str().len() + "/.lock".len() + socket.len();
        if longest > LONGEST_SOCKET {
            // No other process can have made one of this name before.
            let unique = format!("{}{:?}", self.path.display(), std::time::Instant::now());
            directory = elsewhere.join(format!("{SOCKETS}{}", short_hash(&unique)));
        }
        DirBuilder::new()
            .mode(0o700)
            .create(&directory)
            .and_then(|()| self.user.give(&directory))
            .map_err(refused("make", &directory))?;
        self.write("sockets", &directory.to_string_lossy())?;
        Ok(directory)
    }

    /// Removes clusters beside this one that nothing uses, and whose program was removed or replaced, or that were made
    /// in another way.
    pub(crate) fn sweep(&self, slug: &str) {
        let entries = self.path.parent().map(fs::read_dir);
        for entry in entries.into_iter().flatten().flatten().flatten() {
            let other = Self {
                path: entry.path(),
                user: self.user,
            };
            let is_same_kind = entry
                .file_name()
                .to_string_lossy()
                .starts_with(&format!("{slug}-"));
            let recorded = guarded_file::read(&other.file("program"));
            let (executable, _) = recorded.rsplit_once('\n').unwrap_or_default();
            let is_current = stamp(Path::new(executable)).is_ok_and(|stamp| stamp == recorded);
            if is_same_kind
                && !recorded.is_empty()
                && !is_current
                && let Ok(Some(_start)) = other.try_lock("start")
                && let Ok(Some(_alive)) = other.try_lock("alive")
            {
                let _ = fs::remove_dir_all(&other.path);
            }
        }
    }
}

impl ServerDir {
    /// Removes what checkouts that are not there any more have in the system's temporary directory, unless something
    /// still runs there.
    pub(crate) fn sweep_temporary(user: RunAs) {
        for directory in base::left_in_temporary() {
            Self::remove_unused(&directory, user);
        }
    }

    fn remove_unused(directory: &Path, user: RunAs) {
        let parts = [directory.to_owned(), directory.join("servers")];
        let entries = parts.iter().flat_map(fs::read_dir).flatten().flatten();
        let mut locks = Vec::new();
        for path in entries.map(|entry| entry.path()) {
            let other = Self { path, user };
            for name in ["start", "alive", FILES_LOCK] {
                if fs::symlink_metadata(other.file(name)).is_err() {
                    continue;
                }
                match other.try_lock(name) {
                    Ok(Some(lock)) => locks.push(lock),
                    _ => return,
                }
            }
        }
        let _ = fs::remove_dir_all(directory);
    }
}

/// The path of `executable`, and what changes when another version is installed there, or clusters are made in
/// another way.
fn stamp(executable: &Path) -> io::Result<String> {
    let executable = executable.canonicalize()?;
    let metadata = executable.metadata()?;
    let changed = metadata
        .modified()?
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Ok(format!(
        "{}\n{}-{}-{LAYOUT}",
        executable.display(),
        metadata.len(),
        changed.as_secs()
    ))
}

fn short_hash(text: &str) -> String {
    // The path of a socket must be short.
    short_digest([text])[..8].to_owned()
}

/// What to say if `action` failed on `path`.
pub(crate) fn refused(action: &str, path: &Path) -> impl FnOnce(io::Error) -> Error {
    move |error| {
        let help = base::cure(error.kind());
        let fact = format!("cannot {action} `{}`: {error}", path.display());
        Error::new(Kind::Directory, fact).help(help)
    }
}

fn of_another_user(path: &Path) -> Error {
    let fact = format!("`{}` belongs to another user, or is a link", path.display());
    Error::new(Kind::Directory, fact).help(
        "remove it, or let `GREEN_LIGHT_DIR` name a directory in which no other user can write",
    )
}

/// The user who runs a server for root cannot enter the directory of its data.
fn out_of_reach(wanted: &Path, temporary: &Path) -> Error {
    let fact = "a database server does not run as root, and the user who runs it";
    let wanted = wanted.display();
    if base::is_named() {
        let fact = format!("{fact} cannot enter `{wanted}`");
        return Error::new(Kind::Directory, fact).help(
            "let `GREEN_LIGHT_DIR` name a directory that every user can enter; or give the directories above this one \
             the mode `o+x`; or run the tests as another user",
        );
    }
    let fact = format!(
        "{fact} can enter neither `{wanted}` nor `{}`",
        temporary.display()
    );
    Error::new(Kind::Directory, fact).help(
        "let `GREEN_LIGHT_DIR` name a directory that every user can enter; or give the directories above one of these \
         two the mode `o+x`; or run the tests as another user",
    )
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    const SOCKET: &str = ".s.socket.5432";

    fn server_dir(base: &Path, executable: &Path) -> ServerDir {
        let user = RunAs::for_server(&["nobody"]).unwrap();
        ServerDir::open(base, "test", executable, user).unwrap()
    }

    #[test]
    fn another_program_has_another_home_and_the_old_one_is_swept() {
        let base = tempfile::tempdir().unwrap();
        let executable = base.path().join("server");
        fs::write(&executable, "one").unwrap();
        let old = server_dir(base.path(), &executable);
        assert_eq!(old.path(), server_dir(base.path(), &executable).path());
        fs::write(&executable, "another one").unwrap();
        let new = server_dir(base.path(), &executable);
        assert_ne!(old.path(), new.path());
        let running = old.try_lock("alive").unwrap();
        new.sweep("test");
        assert!(old.path().exists(), "somebody holds it");
        drop(running);
        new.sweep("other");
        assert!(old.path().exists(), "not the kind to sweep");
        new.sweep("test");
        assert!(!old.path().exists() && new.path().exists());
    }

    #[test]
    fn what_a_removed_checkout_has_elsewhere_goes_unless_something_runs_there() {
        let directory = tempfile::tempdir().unwrap();
        let server = server_dir(directory.path(), Path::new("/bin/sh"));
        let running = server.try_lock("alive").unwrap();
        ServerDir::remove_unused(directory.path(), server.user());
        assert!(server.path().exists());
        drop(running);
        ServerDir::remove_unused(directory.path(), server.user());
        assert!(!directory.path().exists());
    }

    #[test]
    fn a_directory_that_cannot_be_used_is_told_with_its_cure() {
        use io::ErrorKind as Is;
        for (kind, cure) in [
            (
                Is::ReadOnlyFilesystem,
                "help: this file system is read-only",
            ),
            (
                Is::PermissionDenied,
                "let the user that runs the tests write there",
            ),
            (Is::StorageFull, "help: the disk is full"),
            (Is::InvalidFilename, "help: this path is too long"),
            (Is::NotADirectory, "there is a file in its place"),
            (Is::Other, "on a local disk"),
        ] {
            let error = refused("make", Path::new("/a"))(kind.into()).to_string();
            assert!(
                error.contains(cure) && error.contains("GREEN_LIGHT_DIR"),
                "{error}"
            );
        }
    }

    #[test]
    fn a_target_directory_below_the_temporary_one_may_belong_to_somebody_else() {
        let user = RunAs::for_server(&["nobody"]).unwrap();
        // Only root can give a directory away.
        if user.asking() != 0 {
            // Past the capture of libtest.
            let _ = writeln!(io::stderr(), "skipped: only root can be another user");
            return;
        }
        let base = tempfile::tempdir().unwrap();
        let servers = base.path().join("servers");
        for directory in [base.path(), &servers] {
            let _ = fs::create_dir(directory);
            fs::set_permissions(directory, fs::Permissions::from_mode(0o755)).unwrap();
            std::os::unix::fs::chown(directory, Some(4_000_000), None).unwrap();
        }
        let dir = server_dir(base.path(), Path::new("/bin/sh"));
        assert!(dir.path().starts_with(base.path()));
    }

    #[test]
    fn a_user_who_can_enter_no_directory_is_told_which_ones() {
        let (target, temporary) = (Path::new("/a/servers"), Path::new("/b"));
        let text = out_of_reach(target, temporary).to_string();
        assert!(
            text.contains("can enter neither `/a/servers` nor `/b`"),
            "{text}"
        );
        assert!(text.contains("help: let `GREEN_LIGHT_DIR` name"), "{text}");
    }

    #[test]
    fn a_lock_is_had_by_one() {
        let base = tempfile::tempdir().unwrap();
        let dir = server_dir(base.path(), Path::new("/bin/sh"));
        let first = dir.try_lock("start").unwrap();
        assert!(first.is_some() && dir.try_lock("start").unwrap().is_none());
        drop(first);
        assert!(dir.try_lock("start").unwrap().is_some());
    }

    #[test]
    fn sockets_are_put_where_their_path_is_short_enough() {
        let base = tempfile::tempdir_in("/tmp").unwrap();
        let near = server_dir(base.path(), Path::new("/bin/sh"));
        let directory = near.make_socket_directory(SOCKET).unwrap();
        assert!(directory.starts_with(near.path()));
        let deep = base.path().join("deep".repeat(30));
        fs::create_dir(&deep).unwrap();
        let far = server_dir(&deep, Path::new("/bin/sh"));
        let first = far.make_socket_directory(SOCKET).unwrap();
        assert!(first.as_os_str().len() + SOCKET.len() <= LONGEST_SOCKET);
        let second = far.make_socket_directory(SOCKET).unwrap();
        assert!(second.exists() && !first.exists());
        fs::remove_dir(second).unwrap();
    }
}
