//! A migrated and isolated database in each asynchronous test, and fixtures by name, under plain `cargo test`.
//!
//! A test names what it needs as a parameter. green-light makes the value before the test, shares it as long as its scope says,
//! and cleans up after it, also if the test fails. `session` is a real database with its tables and without rows of another
//! test.
//!
//! ```ignore
//! use green_light::prelude::*;
//!
//! #[green_light::test]
//! async fn signs_up(session: Session) -> Result<(), sea_orm::DbErr> {
//!     my_app::sign_up(&session, "ann").await?;
//!     Ok(())
//! }
//! ```
//!
//! * [`macro@fixture`] and [`macro@test`]: the two attributes
//! * [the guide](https://green-light-rs.github.io/green-light/), a book: how to start, which isolation, frameworks, CI, messages
//! * [`guide`]: the reference of scopes, databases, synchronous code
//! * [`fixtures`]: what is there already, and can be overridden

#![cfg_attr(docsrs, feature(doc_cfg))]

#[doc(inline)]
pub use green_light_core::context::{self, MissingContext, try_wait, wait};
#[doc(inline)]
pub use green_light_core::fixture::{
    FixtureRef, Next, Outcome, Request, RequestError, Scope, Yield,
};
#[cfg(feature = "crowd")]
#[doc(inline)]
pub use green_light_core::{Crowd, CrowdFailure, Member};
#[doc(inline)]
pub use green_light_core::{blocking, skip, spawn};

#[cfg(all(
    feature = "sea-orm",
    any(feature = "sqlite", feature = "postgres", feature = "mysql")
))]
#[doc(inline)]
pub use green_light_fixtures::TransactionOptions;
#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
#[doc(inline)]
pub use green_light_fixtures::{
    Backend, DatabaseUrl, Engine, EngineBuilder, EngineStats, Error, Isolation, NewDatabase,
    Savepoint, Schema, Session, Transaction,
};

#[cfg(feature = "macros")]
#[doc = include_str!("docs/fixture.md")]
pub use green_light_macros::fixture;
#[cfg(feature = "macros")]
#[doc = include_str!("docs/test.md")]
pub use green_light_macros::test;
#[cfg(feature = "macros")]
#[doc = include_str!("docs/uses.md")]
pub use green_light_macros::uses;

pub mod fixtures;
pub mod guide;
#[cfg(feature = "macros")]
mod macros;
pub mod prelude;
#[cfg(all(
    feature = "macros",
    any(feature = "sqlite", feature = "postgres", feature = "mysql")
))]
mod sql_fixtures;

#[doc(hidden)]
pub use green_light_core::__private;
