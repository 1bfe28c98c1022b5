//! SQLite: databases in memory from an image in a file, the connection of a sandbox, and files for tests
//! that need a database of their own.

pub(crate) mod authorize;
pub(crate) mod dialect;
pub(crate) mod directory;
pub(crate) mod driver;
pub(crate) mod file;
pub(crate) mod outer_transaction;
pub(crate) mod process_wide;
pub(crate) mod restore;
pub(crate) mod sandbox;
pub(crate) mod sandbox_finish;
pub(crate) mod slot_file;
pub(crate) mod statement_log;
pub(crate) mod template;
pub(crate) mod template_cache;
#[cfg(test)]
pub(crate) mod template_cache_tests;
pub(crate) mod template_file;
pub(crate) mod template_prune;
pub(crate) mod upkeep;
pub(crate) mod url;
pub(crate) mod watch;
