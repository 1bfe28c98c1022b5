//! What tests use: the session, and what isolates it.
//!
//! With the feature `sea-orm` a session is a connection of SeaORM; without it, it has a pool of sqlx alone. Clones
//! share one connection.

pub(crate) mod handle;
pub(crate) mod isolated;
#[cfg(feature = "sea-orm")]
pub(crate) mod orm;
pub(crate) mod savepoint;
pub(crate) mod script;
pub(crate) mod transaction;
