//! All that is particular to PostgreSQL.
//!
//! * The registry is in a *maintenance database* of the role that runs the tests. Advisory locks are taken there
//!   and nowhere else, because each database has its own.
//! * A process holds the lock of its own number for as long as it lives, however it ends. What belongs to a
//!   process that no longer holds its lock is garbage.
//! * A database is registered before it is created. Only what is registered, or bears our mark in its comment, is
//!   ever dropped; a name alone is no proof.
//! * A template has its final name only once it is complete, and then accepts no connections.

pub(crate) mod admin;
pub(crate) mod commit;
pub(crate) mod connection_locks;
pub(crate) mod database_properties;
pub(crate) mod dialect;
pub(crate) mod driver;
pub(crate) mod errors;
pub(crate) mod guard;
pub(crate) mod local_server;
pub(crate) mod losses;
pub(crate) mod lost_rows;
pub(crate) mod oldest_version;
pub(crate) mod outer_transaction;
pub(crate) mod reaper_sql;
pub(crate) mod registry;
pub(crate) mod registry_tables;
pub(crate) mod remarks;
pub(crate) mod restore;
pub(crate) mod roles;
pub(crate) mod sandbox;
pub(crate) mod sandbox_finish;
pub(crate) mod server;
pub(crate) mod server_settle;
pub(crate) mod server_undo;
pub(crate) mod server_watch;
pub(crate) mod settings_set;
pub(crate) mod stand_in;
pub(crate) mod template_sql;
pub(crate) mod traces;
pub(crate) mod upkeep;
pub(crate) mod url;

#[cfg(not(unix))]
compile_error!("`postgres` needs Linux or macOS\n  help: enable `sqlite` alone");
