//! A database file of a slot.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::sqlite::url::url_of_file;
use crate::url::DatabaseUrl;

/// A database file that lives as long as its slot.
#[derive(Debug)]
pub(crate) struct SlotFile {
    path: PathBuf,
    url: DatabaseUrl,
}

impl SlotFile {
    pub(crate) fn new(path: PathBuf) -> Self {
        let url = url_of_file(&path);
        Self { path, url }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn url(&self) -> &DatabaseUrl {
        &self.url
    }
}

impl Drop for SlotFile {
    fn drop(&mut self) {
        // Some systems do not remove a file that a leaked connection has open. It goes with its directory.
        let _ = fs::remove_file(&self.path);
    }
}
