//! Database servers: found by a URL, or started from the installed programs.
//!
//! A server that green-light starts has durability off, listens on a private socket, keeps its cluster under the target
//! directory, and is shared by all processes of all runs in this checkout. It stops some seconds after its last user
//! has ended, in whatever way. The settings of a server that a variable names are not changed.
//!
//! A process uses a server from its first engine until the process ends.

pub(crate) mod command_output;
pub(crate) mod connection_help;
pub(crate) mod control;
pub(crate) mod environment;
pub(crate) mod guarded_file;
pub(crate) mod hints;
pub(crate) mod linger;
pub(crate) mod locate;
pub(crate) mod program;
pub(crate) mod run_as;
pub(crate) mod running;
pub(crate) mod server_dir;
pub(crate) mod start;
#[cfg(test)]
pub(crate) mod tests;
pub(crate) mod variables;
pub(crate) mod watchdog;
