//! What tests use: a real `DatabaseConnection`, and a few things a test wants besides.
//!
//! * A session derefs to a plain `sea_orm::DatabaseConnection`, so `&session` fits `&DatabaseConnection`.
//! * It implements SeaORM's traits itself as well, so it fits generic code, and so that an error
//!   about a taken connection says who holds it.
//! * Without the feature `sea-orm` it has the pool of sqlx alone.
//! * Clones share one connection.

pub(crate) mod handle;
pub(crate) mod isolated;
#[cfg(feature = "sea-orm")]
pub(crate) mod options;
#[cfg(feature = "sea-orm")]
pub(crate) mod savepoint;
pub(crate) mod script;
#[cfg(feature = "sea-orm")]
pub(crate) mod traits;
pub(crate) mod transaction;
