//! How the databases differ: opening a guarded pool, ending its outer transaction, making an image.
//!
//! Everything above this folder speaks of a `DriverPool`, which is one of SeaORM in a session; everything
//! below it speaks one driver.

pub(crate) mod backend;
pub(crate) mod breach;
pub(crate) mod checkout;
pub(crate) mod driver_pool;
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
