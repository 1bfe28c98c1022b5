//! Where databases in files live: a directory of this process, under the target directory.
//!
//! The process holds the lock of a file in its directory, so a directory whose lock is free was left by a killed
//! process, and the next process removes it. Other directories are not touched, but for empty ones with such a name.
//!
//! A directory whose file is not locked yet looks like one of a dead process. So one process at a time makes a
//! directory and removes others.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use crate::error::{Error, Kind};
use crate::files::lock::FileLock;
use crate::sqlite::slot_file::SlotFile;

/// The file in a directory that its process has locked.
const LOCK: &str = "green-light.lock";
/// Locked while a process makes a directory and removes what dead processes left.
const CREATING: &str = "creating.lock";
/// How the name of such a directory begins.
const PREFIX: &str = "sqlite-";
/// How long another process may take to make its directory.
const LIMIT: Duration = Duration::from_secs(30);

#[derive(Debug)]
pub(crate) struct Directory {
    path: PathBuf,
    _lock: FileLock,
}

impl Directory {
    /// Makes a new directory below `base`, and removes those that dead processes have left there.
    pub(crate) fn create(base: &Path) -> Result<Self, Error> {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        fs::create_dir_all(base).map_err(|error| refused("make", base, &error))?;
        let creating = base.join(CREATING);
        let _creating = locked(&creating, FileLock::acquire_blocking(&creating, LIMIT))?;
        sweep(base);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = base.join(format!("{PREFIX}{}-{number}", std::process::id()));
        fs::create_dir_all(&path).map_err(|error| refused("make", &path, &error))?;
        let lock = path.join(LOCK);
        let _lock = locked(&lock, FileLock::try_acquire(&lock))?;
        Ok(Self { path, _lock })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Writes a file that is removed when the returned value is dropped.
    pub(crate) fn write(&self, name: &str, content: &[u8]) -> Result<SlotFile, Error> {
        self.write_to_stay(name, content).map(SlotFile::new)
    }

    /// Writes a file that is removed with the directory, and returns where it is.
    pub(crate) fn write_to_stay(&self, name: &str, content: &[u8]) -> Result<PathBuf, Error> {
        let path = self.path.join(name);
        fs::write(&path, content).map_err(|error| refused("write to", &path, &error))?;
        Ok(path)
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// The lock of the file `path`, or the error that it could not be had.
fn locked(path: &Path, lock: io::Result<Option<FileLock>>) -> Result<FileLock, Error> {
    lock.and_then(|lock| lock.ok_or_else(|| io::ErrorKind::WouldBlock.into()))
        .map_err(|error| refused("lock", path, &error))
}

/// Removes what dead processes have left; the caller holds the lock [`CREATING`].
fn sweep(base: &Path) {
    let Ok(entries) = fs::read_dir(base) else {
        return;
    };
    for path in entries.flatten().map(|entry| entry.path()) {
        // A directory that cannot be read or removed is one of another user, or about to be removed.
        let Ok(lock) = File::open(path.join(LOCK)) else {
            let name = path.file_name().unwrap_or_default();
            if name.to_string_lossy().starts_with(PREFIX) {
                // If its process was killed before it locked the file. One that is not empty stays.
                let _ = fs::remove_dir(&path);
            }
            continue;
        };
        if let Ok(Some(_lock)) = FileLock::try_lock(lock) {
            let _ = fs::remove_dir_all(&path);
        }
    }
}

fn refused(action: &str, path: &Path, error: &io::Error) -> Error {
    Error::new(
        Kind::Directory,
        format!("cannot {action} `{}`: {error}", path.display()),
    )
    .help(
        "make room or give write permission there, choose another place with `GREEN_LIGHT_DIR`, or for one engine with \
         `Engine::builder().directory(path)`, or leave the database in memory",
    )
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn removes_itself_and_what_dead_processes_left_but_nothing_else() {
        let base = tempfile::tempdir().unwrap();
        let dead = base.path().join("sqlite-1-0");
        let foreign = base.path().join("sqlite-2-0");
        for (path, file) in [(&dead, LOCK), (&foreign, "data.sqlite")] {
            fs::create_dir_all(path).unwrap();
            fs::write(path.join(file), "").unwrap();
        }
        let alive = Directory::create(base.path()).unwrap();
        let other = Directory::create(base.path()).unwrap();
        assert!(!dead.exists() && foreign.exists() && alive.path().exists());
        let file = other.write("a.sqlite", b"x").unwrap();
        assert!(file.path().exists());
        drop(file);
        let gone = other.path().to_owned();
        drop(other);
        assert!(!gone.exists() && alive.path().exists());
    }

    #[test]
    fn many_that_are_made_at_once_do_not_take_each_other_for_left_over() {
        let base = tempfile::tempdir().unwrap();
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..200 {
                        let directory = Directory::create(base.path()).unwrap();
                        directory.write_to_stay("a.sqlite", b"x").unwrap();
                    }
                });
            }
        });
    }

    #[test]
    fn one_whose_maker_was_killed_before_it_was_locked_goes_as_well() {
        let base = tempfile::tempdir().unwrap();
        let (half, foreign) = (base.path().join("sqlite-3-0"), base.path().join("mine"));
        for empty in [&half, &foreign] {
            fs::create_dir(empty).unwrap();
        }
        let directory = Directory::create(base.path()).unwrap();
        assert!(!half.exists() && foreign.exists() && directory.path().exists());
    }

    #[test]
    fn says_which_path_refuses_and_why() {
        let base = tempfile::tempdir().unwrap();
        let occupied = base.path().join("file");
        fs::write(&occupied, "").unwrap();
        let error = Directory::create(&occupied.join("below")).unwrap_err();
        assert!(error.is_directory());
        let text = error.to_string();
        assert!(
            text.contains("file/below") && text.contains("help: make room"),
            "{text}"
        );
    }
}
