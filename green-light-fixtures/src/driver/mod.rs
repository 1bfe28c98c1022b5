//! What the rest of the crate knows of a database, and what is the same on all of them.
//!
//! What is above this folder uses these traits, and knows no database by name.

pub(crate) mod breach;
pub(crate) mod checkout;
#[cfg(feature = "_server")]
pub(crate) mod guard_savepoint;
pub(crate) mod handover;
pub(crate) mod lease_state;
pub(crate) mod monitor;
pub(crate) mod pool;
pub(crate) mod reported;
pub(crate) mod restart;
#[cfg(feature = "_server")]
pub(crate) mod stand_in;
pub(crate) mod template;
pub(crate) mod traits;
