//! How the databases differ: opening a guarded pool, ending its outer transaction, making an image.
//!
//! Everything above this folder speaks of a `DriverPool`, which is one of SeaORM in a session; everything
//! below it speaks one driver.

mod driver_pool;
mod handover;
#[cfg(feature = "_server")]
mod kept;
mod kind;
#[cfg(feature = "mysql")]
pub(crate) mod mysql;
#[cfg(feature = "mysql")]
mod mysql_ending;
#[cfg(feature = "mysql")]
mod mysql_leftovers;
#[cfg(feature = "mysql")]
mod mysql_session;
#[cfg(feature = "mysql")]
mod mysql_texts;
mod pool;
#[cfg(feature = "postgres")]
pub(crate) mod postgres;
#[cfg(feature = "postgres")]
mod postgres_ending;
#[cfg(feature = "postgres")]
pub(crate) mod postgres_guard;
mod restart;
#[cfg(feature = "sqlite")]
pub(crate) mod sqlite;
#[cfg(feature = "sqlite")]
mod sqlite_ending;
#[cfg(feature = "sqlite")]
mod sqlite_listener;
#[cfg(feature = "_server")]
mod stand_in;

pub use self::kind::Backend;
pub(crate) use self::{
    driver_pool::DriverPool,
    pool::{Ended, Pool},
};
