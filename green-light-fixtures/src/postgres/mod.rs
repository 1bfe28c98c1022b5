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

mod anew;
mod back;
mod claim;
mod connect;
mod counting;
mod janitor;
mod likeness;
mod office;
mod registry;
mod stock;
mod template;

pub(crate) use self::{
    claim::Claim,
    connect::{Line, failed, help},
    template::PostgresTemplate,
};
