//! What tests use: a real `DatabaseConnection`, and a few things a test wants besides.
//!
//! * A session derefs to a plain `sea_orm::DatabaseConnection`, so `&session` fits `&DatabaseConnection`.
//! * It implements SeaORM's traits itself as well, so it fits generic code, and so that an error
//!   about a taken connection says who holds it.
//! * Without the feature `sea-orm` it has the pool of sqlx alone.
//! * Clones share one connection.

mod explain;
mod handle;
#[cfg(feature = "sea-orm")]
mod options;
mod script;
#[cfg(feature = "sea-orm")]
mod traits;

#[cfg(feature = "sea-orm")]
pub(crate) use self::explain::explain;
pub(crate) use self::explain::{deadlocked, ended_early, has_ended, taken};
pub use self::handle::Session;
#[cfg(feature = "sea-orm")]
pub use self::options::TransactionOptions;
