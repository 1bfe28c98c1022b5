//! What green-light must know of a database server to run it. Each database has one [`ServerProgram`] in its folder.

use std::{
    ffi::OsString,
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    process::Command,
};

use crate::database_pool::BoxFuture;
use crate::local_server::server_dir::ServerDir;
use crate::url::DatabaseUrl;

/// Settings of a server, with their values.
pub(crate) type Settings = Vec<(String, String)>;

/// A database server that can be installed.
pub(crate) struct ServerProgram {
    /// Its name in sentences.
    pub(crate) name: &'static str,
    /// Its name in paths.
    pub(crate) slug: &'static str,
    /// The variable that names a server to use instead.
    pub(crate) variable: &'static str,
    /// What the URL in that variable begins with.
    pub(crate) schemes: &'static [&'static str],
    /// If root runs the tests, the first of these users that exists runs the server.
    pub(crate) users: &'static [&'static str],
    /// The signal that stops it as fast as its data allow.
    pub(crate) stop_signal: &'static str,
    /// The file in its cluster that a killed server leaves, and that could stop the next one.
    pub(crate) stale_file: &'static str,
    /// The text of its log that follows the reason why a cluster could not be made.
    pub(crate) advice: &'static str,
    /// How to install it.
    pub(crate) install: &'static str,
    /// The name of its socket.
    pub(crate) socket: &'static str,
    /// What makes a server faster that holds nothing but tests.
    pub(crate) recommended: &'static [RecommendedSetting],
    /// What to run after the statements of [`recommended`](Self::recommended).
    pub(crate) reload: &'static str,
    /// All settings of a server with their values. `None` if it cannot be asked.
    pub(crate) settings: fn(&DatabaseUrl) -> BoxFuture<'_, Option<Settings>>,
    /// Finds the installed program.
    pub(crate) find: fn() -> Option<PathBuf>,
    /// The command that makes a cluster.
    pub(crate) initialise: fn(executable: &Path, data: &Path) -> Command,
    /// The arguments of the server.
    pub(crate) arguments: fn(executable: &Path, data: &Path, sockets: &Path) -> Vec<OsString>,
    /// Whether a server that listens has recovered, too.
    pub(crate) has_recovered: fn(dir: &ServerDir) -> bool,
    /// How its administrator connects.
    pub(crate) url: fn(sockets: &Path) -> String,
}

/// A setting that makes a server faster.
pub(crate) struct RecommendedSetting {
    pub(crate) name: &'static str,
    pub(crate) value: &'static str,
    /// The statement that sets it.
    pub(crate) statement: &'static str,
    /// Another setting that must be `on`, or this one does nothing.
    pub(crate) requires: Option<&'static str>,
}

impl ServerProgram {
    /// Whether the server that is being started in `dir` is ready for its users.
    pub(crate) fn is_ready(&self, dir: &ServerDir, sockets: &Path) -> bool {
        (self.has_recovered)(dir) && self.listens(sockets)
    }

    /// Whether a server takes connections on its socket.
    pub(crate) fn listens(&self, sockets: &Path) -> bool {
        UnixStream::connect(sockets.join(self.socket)).is_ok()
    }
}
