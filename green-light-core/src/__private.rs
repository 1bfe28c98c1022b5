//! Not public API. The only door for code that the macros generate.

pub use linkme;

pub use crate::context::synchronous;
pub use crate::fixture::{
    AroundFuture, Body, ByValue, Counter, Declared, Definition, Dependency, FIXTURES, Fallible,
    Fixture, Handle, Location, Next, Outcome, Reach, Request, Scope, Setup, SetupFuture, TESTS,
    ValueType, Yield, check_override, check_override_type, check_scope, definition_of, value_of,
};
pub use crate::report::{Failure, RenderBoxed, RenderDebug, RenderError, Rendered};
pub use crate::test::{TestMeta, run_test};

/// Clones a value for a `T` parameter.
#[must_use]
pub fn by_value<T: ByValue>(value: &T) -> T {
    value.clone()
}
