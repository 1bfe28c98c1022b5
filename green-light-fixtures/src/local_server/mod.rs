//! Database servers: found by a URL, or started from the installed programs.
//!
//! A server that we start has durability off, listens on a private socket, keeps its cluster under
//! the target directory, and is shared by all processes of all runs in this checkout. It stops some
//! seconds after the last process that uses it is gone, however that one ended. A server named by a
//! variable is used as it is: nothing about it is ever changed.
//!
//! A process uses a server from its first engine on until it ends, so it does not matter which of its
//! engines lives longest.

pub(crate) mod command_output;
pub(crate) mod hints;
pub(crate) mod linger;
pub(crate) mod locate;
pub(crate) mod oldest_version;
pub(crate) mod origin;
pub(crate) mod program;
pub(crate) mod run_as;
pub(crate) mod running;
pub(crate) mod server_dir;
pub(crate) mod start;
#[cfg(test)]
pub(crate) mod tests;
pub(crate) mod watchdog;
