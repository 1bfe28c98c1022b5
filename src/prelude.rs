//! What a file of tests imports: `use green_light::prelude::*;`.
//!
//! `test` is not here: a glob import would capture the plain `#[test]` of the same file. Write
//! `#[green_light::test]`.

#[cfg(feature = "crowd")]
pub use green_light_core::Crowd;
pub use green_light_core::fixture::{Next, Outcome, Request, Yield};
#[cfg(feature = "macros")]
pub use green_light_macros::fixture;

#[cfg(all(
    feature = "macros",
    any(feature = "sqlite", feature = "postgres", feature = "mysql")
))]
pub use crate::sql_fixtures;

#[cfg(feature = "crowd")]
pub use crate::fixtures::crowd;
#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
pub use crate::fixtures::{database_url, engine, session, transaction};
#[cfg(feature = "mysql")]
pub use crate::fixtures::{mysql_connection, mysql_pool};
#[cfg(feature = "postgres")]
pub use crate::fixtures::{pg_connection, pg_pool};
#[cfg(feature = "sqlite")]
pub use crate::fixtures::{sqlite_connection, sqlite_pool};
#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
pub use green_light_fixtures::{Backend, Engine, Isolation, Schema, Session, Transaction};
