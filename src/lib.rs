//! pytest-grade fixtures for async database tests.

#[doc(inline)]
pub use green_light_core::fixture::{Next, Outcome, Request, Scope, Yield};

#[doc(hidden)]
pub use green_light_core::__private;
