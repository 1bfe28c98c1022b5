//! A schema built once and kept, from which the databases of tests are made.
//!
//! The template belongs to one engine. It is built before the engine exists, so that a schema that
//! fails is the engine's error and not the first test's.

mod build;
#[cfg(feature = "mysql")]
mod left;
#[cfg(feature = "mysql")]
mod mysql;

pub(crate) use self::build::Template;
#[cfg(feature = "mysql")]
pub(crate) use self::{left::SlotDatabase, mysql::MySqlTemplate};
