//! MySQL and MariaDB as a place for test databases: templates, copies made ahead, connections,
//! leftovers.
//!
//! * Everything that processes must agree on is kept on the server, in the database `green_light`.
//!   Locks are those of `GET_LOCK`, which the whole server shares and which end with their connection.
//! * A process holds the lock of its own name for as long as it lives, however it ends. What belongs
//!   to a name whose lock is free is a leftover.
//! * A database is entered in the registry before it is made, under a name that nobody can guess, and
//!   nothing else is ever dropped. While it is made, the lock of its name is held by the connection
//!   that makes it: the server may go on with a statement whose process is gone.
//! * A template is one once it is listed as such, which is the last step of its building.
//! * MySQL clones no database: a copy is made by running what the server says the template is made of.
//!   Two slots of the sandbox never share one: locks between keys would make tests wait for each other.

pub(crate) mod admin;
pub(crate) mod blocks;
pub(crate) mod client;
pub(crate) mod connection_locks;
pub(crate) mod copy;
pub(crate) mod database_lease;
pub(crate) mod dialect;
pub(crate) mod driver;
pub(crate) mod errors;
pub(crate) mod local_server;
pub(crate) mod outer_transaction;
pub(crate) mod pool;
pub(crate) mod ready_pool;
pub(crate) mod reaper;
pub(crate) mod recycle;
pub(crate) mod registry;
pub(crate) mod restore;
pub(crate) mod routines;
pub(crate) mod sandbox;
pub(crate) mod sandbox_finish;
pub(crate) mod session_audit;
pub(crate) mod session_leftovers;
pub(crate) mod session_status;
pub(crate) mod stand_in;
pub(crate) mod statement_count;
pub(crate) mod template;
pub(crate) mod xa;
