//! What users say of an engine.

use std::{any::Any, fmt, path::PathBuf, sync::Arc, time::Duration};

use crate::backend::Backend;
use crate::limits::Timeouts;
use crate::schema::definition::Schema;

/// Describes an [`Engine`](crate::Engine).
#[derive(Clone, Debug)]
#[must_use = "nothing happens until `build` is awaited"]
pub struct EngineBuilder {
    pub(crate) backend: Backend,
    pub(crate) schema: Schema,
    pub(crate) options: EngineOptions,
}

impl EngineBuilder {
    /// Which database to use.
    pub fn backend(mut self, backend: Backend) -> Self {
        self.backend = backend;
        self
    }

    /// What the database holds before any test runs.
    pub fn schema(mut self, schema: Schema) -> Self {
        self.schema = schema;
        self
    }

    /// Puts SQLite's databases into files below the target directory, removed when the engine ends.
    pub fn file(mut self) -> Self {
        self.options.storage = Storage::Target;
        self
    }

    /// Puts SQLite's databases into files below `path`, removed when the engine ends.
    pub fn directory(mut self, path: impl Into<PathBuf>) -> Self {
        self.options.storage = Storage::Directory(path.into());
        self
    }

    /// How long a query waits for the one connection of its test; 5 s unless set.
    pub fn connection_timeout(mut self, wait: Duration) -> Self {
        self.options.waits.connection = wait;
        self
    }

    /// How long the end of a test waits for what the test left running; 5 s unless set.
    pub fn teardown_timeout(mut self, wait: Duration) -> Self {
        self.options.waits.teardown = wait;
        self
    }
}

/// Options of an engine.
#[derive(Clone)]
#[allow(dead_code, reason = "servers read only how long to wait")]
pub(crate) struct EngineOptions {
    pub(crate) storage: Storage,
    pub(crate) waits: Timeouts,
    /// How the driver connects, in its own type, if the user changed that.
    pub(crate) connect: Option<Arc<dyn Any + Send + Sync>>,
}

/// Where databases are that need no server.
#[derive(Clone, Debug)]
#[allow(dead_code, reason = "servers do not read it")]
pub(crate) enum Storage {
    Memory,
    Target,
    Directory(PathBuf),
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
