//! All that is particular to MySQL and MariaDB.
//!
//! * The registry is in the database `green_light`. Locks are those of `GET_LOCK`, which the whole server shares
//!   and which end with their connection.
//! * A process holds the lock of its own name for as long as it lives, however it ends. What belongs to a name
//!   whose lock is free is garbage.
//! * A database is registered before it is created, under a name that cannot be guessed, and nothing else is ever
//!   dropped. While it is created, the connection that creates it holds the lock of its name: the server may go on
//!   with a statement whose process is gone.
//! * A template is one once it is listed as such, which is the last step of its building.
//! * MySQL clones no database: a copy is made by running what the server says the template is made of. Two slots of
//!   the sandbox never share one: locks between keys would make tests wait for each other.

pub(crate) mod accounts;
pub(crate) mod admin;
pub(crate) mod blocks;
pub(crate) mod committed;
pub(crate) mod connection_locks;
pub(crate) mod counters;
pub(crate) mod dialect;
pub(crate) mod driver;
pub(crate) mod dump;
pub(crate) mod errors;
pub(crate) mod grants;
pub(crate) mod lexer;
pub(crate) mod local_server;
pub(crate) mod losses;
pub(crate) mod oldest_version;
pub(crate) mod outer_transaction;
pub(crate) mod process_name;
pub(crate) mod reaper_sql;
pub(crate) mod registry;
pub(crate) mod registry_tables;
pub(crate) mod restarts;
pub(crate) mod restore;
pub(crate) mod sandbox;
pub(crate) mod sandbox_finish;
pub(crate) mod server;
pub(crate) mod server_watch;
pub(crate) mod session_audit;
pub(crate) mod session_traces;
pub(crate) mod stand_in;
pub(crate) mod statement_count;
pub(crate) mod template_sql;
pub(crate) mod test_account;
pub(crate) mod upkeep;
pub(crate) mod url;
pub(crate) mod xa;

#[cfg(not(unix))]
compile_error!("`mysql` needs Linux or macOS\n  help: enable `sqlite` alone");
