//! What tests use: a real `DatabaseConnection`, and a few things a test wants besides.
//!
//! * A session derefs to a plain `sea_orm::DatabaseConnection`, so `&session` fits `&DatabaseConnection`.
//! * It implements SeaORM's traits itself as well, so it fits generic code, and so that an error
//!   about a taken connection says who holds it.
//! * Clones share one connection.

mod explain;
mod handle;
mod options;
mod traits;

pub(crate) use self::explain::{deadlocked, ended_early, explain, has_ended, taken};
pub use self::{handle::Session, options::TransactionOptions};
