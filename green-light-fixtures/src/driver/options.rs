//! What the builder of an engine says to the driver.

use std::{any::Any, fmt, path::PathBuf, sync::Arc};

use crate::error::Error;
use crate::files::temp_dir::{Directory, default_base};
use crate::limits::Timeouts;

/// Options of an engine.
#[derive(Clone)]
pub(crate) struct EngineOptions {
    pub(crate) storage: Storage,
    pub(crate) waits: Timeouts,
    /// How the driver connects, in its own type, if the user changed that.
    pub(crate) connect: Option<Arc<dyn Any + Send + Sync>>,
}

/// Where databases are that need no server.
#[derive(Clone, Debug)]
pub(crate) enum Storage {
    Memory,
    Target,
    Directory(PathBuf),
}

impl EngineOptions {
    /// The directory for databases in files, if they are to be in files.
    pub(crate) fn directory(&self) -> Result<Option<Directory>, Error> {
        match &self.storage {
            Storage::Memory => Ok(None),
            Storage::Target => Directory::create(&default_base()).map(Some),
            Storage::Directory(path) => Directory::create(path).map(Some),
        }
    }

    /// How the driver connects.
    pub(crate) fn connect_options<T: Clone + Default + 'static>(&self) -> T {
        let own = self.connect.as_ref().and_then(|own| own.downcast_ref());
        own.cloned().unwrap_or_default()
    }
}

impl fmt::Debug for EngineOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The options of a driver may have a key.
        f.debug_struct("EngineOptions")
            .field("storage", &self.storage)
            .field("waits", &self.waits)
            .finish_non_exhaustive()
    }
}
