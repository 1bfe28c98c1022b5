//! PostgreSQL as a place for test databases: templates, clones made ahead, connections, leftovers.
//!
//! * Everything that processes must agree on is kept on the server, in a *maintenance database* of
//!   the role that runs the tests. Advisory locks are taken there and nowhere else, because each
//!   database has its own.
//! * A process holds a lock of its own for as long as it lives, however it ends. What belongs to a
//!   process that no longer holds its lock is a leftover.
//! * A database is entered in the registry before it is made. Only what is entered there, or bears
//!   our mark in its comment, is ever dropped; a name alone is no proof.
//! * A template bears its final name only once it is whole, and nobody can connect to it.

pub(crate) mod admin;
pub(crate) mod client;
pub(crate) mod connection_locks;
pub(crate) mod database_lease;
pub(crate) mod database_properties;
pub(crate) mod dialect;
pub(crate) mod driver;
pub(crate) mod errors;
pub(crate) mod guard;
pub(crate) mod local_server;
pub(crate) mod outer_transaction;
pub(crate) mod pool;
pub(crate) mod ready_pool;
pub(crate) mod reaper;
pub(crate) mod rebuild;
pub(crate) mod recycle;
pub(crate) mod registry;
pub(crate) mod restore;
pub(crate) mod sandbox;
pub(crate) mod sandbox_finish;
pub(crate) mod stand_in;
pub(crate) mod template;
