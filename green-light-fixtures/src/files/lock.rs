//! A file that one process at a time has locked. The system gives the lock back, however the process ends.

use std::{
    fs::{File, TryLockError},
    io,
    path::Path,
    process::Stdio,
    thread,
    time::{Duration, Instant},
};

use crate::backoff::Backoff;

/// The lock of a file, held while this lives.
#[derive(Debug)]
pub(crate) struct FileLock(File);

#[allow(dead_code, reason = "servers lock only files that they have opened")]
impl FileLock {
    /// Locks the file at `path`, which is made if it is not there. `None` if another process has the lock.
    pub(crate) fn try_acquire(path: &Path) -> io::Result<Option<Self>> {
        Self::try_lock(File::options().create(true).append(true).open(path)?)
    }

    /// Locks `file`. `None` if another process has the lock.
    pub(crate) fn try_lock(file: File) -> io::Result<Option<Self>> {
        match file.try_lock() {
            Ok(()) => Ok(Some(Self(file))),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    /// Waits for the lock, for at most `limit`. For locks that are held for milliseconds.
    pub(crate) fn acquire_blocking(path: &Path, limit: Duration) -> io::Result<Option<Self>> {
        let started = Instant::now();
        loop {
            match Self::try_acquire(path)? {
                None if started.elapsed() < limit => thread::sleep(Duration::from_millis(1)),
                acquired => return Ok(acquired),
            }
        }
    }

    /// Waits for the lock, for at most `limit` and until `is_needless`. A long wait is reported as `what`.
    pub(crate) async fn acquire(
        path: &Path,
        limit: Duration,
        what: &str,
        is_needless: impl Fn() -> bool,
    ) -> io::Result<Option<Self>> {
        let mut backoff = Backoff::within(limit);
        loop {
            match Self::try_acquire(path)? {
                None if !backoff.expired() && !is_needless() => {
                    backoff.pause(|| what.to_owned()).await;
                }
                acquired => return Ok(acquired),
            }
        }
    }
}

/// The lock is then held as long as any process has the file open.
impl From<FileLock> for Stdio {
    fn from(lock: FileLock) -> Self {
        lock.0.into()
    }
}
