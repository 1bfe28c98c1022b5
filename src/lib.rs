//! pytest-grade fixtures for async database tests.

#[doc(inline)]
pub use green_light_core::context::{self, MissingContext, try_wait, wait};
#[doc(inline)]
pub use green_light_core::fixture::{Next, Outcome, Request, Scope, Yield};
#[doc(inline)]
pub use green_light_core::{Crowd, CrowdFailure, Member};

#[cfg(feature = "sqlite")]
#[doc(inline)]
pub use green_light_fixtures::{
    Backend, DatabaseUrl, Engine, EngineBuilder, EngineStats, Error, Isolation, Savepoint, Schema,
    Session, Transaction, TransactionOptions,
};

#[cfg(feature = "macros")]
#[doc = include_str!("docs/fixture.md")]
pub use green_light_macros::fixture;
#[cfg(feature = "macros")]
#[doc = include_str!("docs/test.md")]
pub use green_light_macros::test;

pub mod fixtures;
pub mod prelude;

#[doc(hidden)]
pub use green_light_core::__private;
