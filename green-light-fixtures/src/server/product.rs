//! What green-light must know of a database server to run it: one value of [`Product`] each.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    process::Command,
};

use super::home::Home;

/// A database server that can be installed.
pub(super) struct Product {
    /// Its name in sentences.
    pub(super) name: &'static str,
    /// Its name in paths.
    pub(super) slug: &'static str,
    /// The variable that names a server to use instead.
    pub(super) variable: &'static str,
    /// What the URL in that variable begins with.
    pub(super) schemes: &'static [&'static str],
    /// Who runs it when root asks for it.
    pub(super) users: &'static [&'static str],
    /// The signal that stops it as fast as its data allow.
    pub(super) stop: &'static str,
    /// The file in its cluster that a killed server leaves, and that could stop the next one.
    pub(super) stale: &'static str,
    /// Where the log of a cluster that could not be made ends to say why.
    pub(super) advice: &'static str,
    /// How to get it.
    pub(super) install: &'static str,
    /// The installed program that is the server.
    pub(super) find: fn() -> Option<PathBuf>,
    /// The command that makes a cluster.
    pub(super) initialise: fn(program: &Path, data: &Path) -> Command,
    /// The arguments of the server.
    pub(super) arguments: fn(program: &Path, data: &Path, sockets: &Path) -> Vec<OsString>,
    /// Whether the server takes connections.
    pub(super) ready: fn(home: &Home, sockets: &Path) -> bool,
    /// Whether the server of this process, which was ready before, still takes connections.
    pub(super) is_there: fn(home: &Home) -> bool,
    /// How its first user reaches it.
    pub(super) url: fn(sockets: &Path) -> String,
}
