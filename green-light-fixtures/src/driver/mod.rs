//! What the rest of the crate knows of a database, and what is the same on all of them.
//!
//! What is above this folder uses these traits, and knows no database by name.

pub(crate) mod breach;
pub(crate) mod checkout;
pub(crate) mod detached;
pub(crate) mod engine_builder;
pub(crate) mod handoff;
#[cfg(test)]
pub(crate) mod in_memory;
pub(crate) mod lease_notes;
pub(crate) mod listed_database;
pub(crate) mod local_server_state;
pub(crate) mod monitor;
pub(crate) mod outcome;
pub(crate) mod pool_handles;
pub(crate) mod quiet;
pub(crate) mod sandbox;
pub(crate) mod server_facts;
pub(crate) mod slot_finish;
pub(crate) mod slot_pool;
pub(crate) mod traits;
pub(crate) mod upkeep;
