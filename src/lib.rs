//! pytest-grade fixtures for async database tests.

#[doc(inline)]
pub use green_light_core::fixture::{Next, Outcome, Request, Scope, Yield};

#[cfg(feature = "macros")]
#[doc = include_str!("docs/fixture.md")]
pub use green_light_macros::fixture;
#[cfg(feature = "macros")]
#[doc = include_str!("docs/test.md")]
pub use green_light_macros::test;

pub mod prelude;

#[doc(hidden)]
pub use green_light_core::__private;
