//! What green-light must know of a database server to run it: one value of [`Product`] each.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    process::Command,
};

use crate::local_server::server_dir::Home;

/// A database server that can be installed.
pub(crate) struct Product {
    /// Its name in sentences.
    pub(crate) name: &'static str,
    /// Its name in paths.
    pub(crate) slug: &'static str,
    /// The variable that names a server to use instead.
    pub(crate) variable: &'static str,
    /// What the URL in that variable begins with.
    pub(crate) schemes: &'static [&'static str],
    /// Who runs it when root asks for it.
    pub(crate) users: &'static [&'static str],
    /// The signal that stops it as fast as its data allow.
    pub(crate) stop: &'static str,
    /// The file in its cluster that a killed server leaves, and that could stop the next one.
    pub(crate) stale: &'static str,
    /// Where the log of a cluster that could not be made ends to say why.
    pub(crate) advice: &'static str,
    /// How to get it.
    pub(crate) install: &'static str,
    /// The installed program that is the server.
    pub(crate) find: fn() -> Option<PathBuf>,
    /// The command that makes a cluster.
    pub(crate) initialise: fn(program: &Path, data: &Path) -> Command,
    /// The arguments of the server.
    pub(crate) arguments: fn(program: &Path, data: &Path, sockets: &Path) -> Vec<OsString>,
    /// Whether the server takes connections.
    pub(crate) ready: fn(home: &Home, sockets: &Path) -> bool,
    /// Whether the server of this process, which was ready before, still takes connections.
    pub(crate) is_there: fn(home: &Home) -> bool,
    /// How its first user reaches it.
    pub(crate) url: fn(sockets: &Path) -> String,
}
