//! One process of a checkout at a time asks a server whether there is room for it.
//!
//! Who asks has a connection, which is not counted yet. Many at once would take the last ones of the
//! server, and with them those that counted processes have a right to.

use std::{
    fs::{self, File},
    path::PathBuf,
    thread,
};

use green_light_core::progress;
use tokio::sync::oneshot;

use crate::backoff::LIMIT;
use crate::files::temp_dir::default_base;
use crate::schema::definition::short_digest;
use crate::url::DatabaseUrl;

/// The right to ask, given back when dropped, or when the process is gone.
#[derive(Debug)]
pub(crate) struct Door(#[expect(dead_code, reason = "held for its lock")] Option<File>);

impl Door {
    /// Waits for those that ask the server at `url` already.
    pub(crate) async fn of(url: &DatabaseUrl) -> Self {
        let path = default_base().join(format!("door-{}.lock", short_digest([url.expose()])));
        let (tell, told) = oneshot::channel();
        // Not a thread of the runtime, which does not end before its threads do.
        let waiting = thread::Builder::new().name("green-light-door".to_owned());
        let waiting = waiting.spawn(move || drop(tell.send(lock(path))));
        if waiting.is_err() {
            return Self(None);
        }
        // Who cannot wait here is still kept to the budget.
        match tokio::time::timeout(LIMIT, told).await {
            Ok(locked) => Self(locked.ok().flatten()),
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

fn lock(path: PathBuf) -> Option<File> {
    fs::create_dir_all(path.parent()?).ok()?;
    let file = File::create(path).ok()?;
    file.lock().ok()?;
    Some(file)
}
