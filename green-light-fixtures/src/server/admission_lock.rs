//! One process of a checkout at a time asks a server for admission.
//!
//! A process that asks has a connection that is not counted yet. Many at once would take the last connections
//! of the server, among them those that admitted processes have a permit for.

use std::{
    fs::{self, File},
    os::unix::fs::MetadataExt as _,
    path::PathBuf,
    thread,
};

use green_light_core::progress;
use tokio::sync::oneshot;

use crate::backoff::LIMIT;
use crate::digest::short_digest;
use crate::files::base::base;
use crate::url::DatabaseUrl;

/// The lock, released when dropped, or when the process ends. Its file goes with it.
#[derive(Debug)]
pub(crate) struct AdmissionLock(Option<(PathBuf, File)>);

impl AdmissionLock {
    /// Waits for the processes that ask the server at `url` already.
    pub(crate) async fn acquire(url: &DatabaseUrl) -> Self {
        let Ok(base) = base() else {
            return Self(None);
        };
        let path = base.join(format!("admission-{}.lock", short_digest([url.expose()])));
        let (send, locked) = oneshot::channel();
        // Not a thread of the runtime, which does not end before its threads do.
        let waiting = thread::Builder::new().name("green-light-admission".to_owned());
        let waiting = waiting.spawn(move || drop(send.send(Self(lock(path)))));
        if waiting.is_err() {
            return Self(None);
        }
        // A process that gives up waiting is still bound by the budget.
        match tokio::time::timeout(LIMIT, locked).await {
            Ok(locked) => locked.unwrap_or(Self(None)),
            Err(_) => {
                progress(&format!(
                    "another process of this checkout has asked {} for room for {} s; asking as well",
                    url.redacted(),
                    LIMIT.as_secs()
                ));
                Self(None)
            }
        }
    }
}

impl Drop for AdmissionLock {
    fn drop(&mut self) {
        if let Some((path, _locked)) = &self.0 {
            let _ = fs::remove_file(path);
        }
    }
}

fn lock(path: PathBuf) -> Option<(PathBuf, File)> {
    fs::create_dir_all(path.parent()?).ok()?;
    loop {
        let file = File::create(&path).ok()?;
        file.lock().ok()?;
        // The process that had the lock before has removed the file, and the next one has made another.
        let locked = file.metadata().ok()?;
        match fs::metadata(&path) {
            Ok(found) if (found.dev(), found.ino()) == (locked.dev(), locked.ino()) => {
                return Some((path, file));
            }
            _ => {}
        }
    }
}
