//! One process of a checkout at a time asks a server whether there is room for it.
//!
//! Who asks has a connection, which is not counted yet. Many at once would take the last ones of the
//! server, and with them those that counted processes have a right to.

use std::{
    fs::{self, File},
    path::PathBuf,
};

use super::waiting::LIMIT;
use crate::{directory::default_base, schema::short_digest, url::DatabaseUrl};

/// The right to ask, given back when dropped, or when the process is gone.
#[derive(Debug)]
pub(crate) struct Door(#[expect(dead_code, reason = "held for its lock")] Option<File>);

impl Door {
    /// Waits for those that ask the server at `url` already.
    pub(crate) async fn of(url: &DatabaseUrl) -> Self {
        let path = default_base().join(format!("door-{}.lock", short_digest([url.expose()])));
        let locking = tokio::task::spawn_blocking(move || lock(path));
        // Who cannot wait here is still kept to the budget.
        let locked = tokio::time::timeout(LIMIT, locking).await;
        Self(locked.ok().and_then(Result::ok).flatten())
    }
}

fn lock(path: PathBuf) -> Option<File> {
    fs::create_dir_all(path.parent()?).ok()?;
    let file = File::create(path).ok()?;
    file.lock().ok()?;
    Some(file)
}
