//! A schema built once and kept, from which the databases of tests are made.
//!
//! A template is built before its engine exists, so that a schema that fails is the engine's error and
//! not the first test's. Those of servers are kept on the server; an image of SQLite is kept in a file.

mod build;
#[cfg(feature = "sqlite")]
mod seal;
#[cfg(feature = "sqlite")]
mod shelf;
#[cfg(feature = "sqlite")]
mod step;
#[cfg(feature = "sqlite")]
mod sweep;
#[cfg(all(test, feature = "sqlite"))]
mod tests;

pub(crate) use self::build::Template;
