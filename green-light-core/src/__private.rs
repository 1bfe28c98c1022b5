//! Not public API. The only door for code that the macros generate.

use std::future::Future;
use std::pin::Pin;

pub use linkme;

pub use crate::context::synchronous;
pub use crate::fixture::{
    Arguments, AroundFuture, Body, Counter, Declared, Definition, Dependency, Exclusive, FIXTURES,
    Fallible, Fixture, Fresh, Given, Handle, HasDefaults, Inherited, IsNoResult, IsResult, Keep,
    KeepLocal, KeepShared, LISTED, Listed, Location, ModuleUses, Narrow, Next, Outcome, Owned,
    Reach, Request, Scope, Setup, SetupFuture, TESTS, USES, ValueType, Wide, Yield, check_output,
    check_override, check_override_kind, check_override_type, check_scope, defaults_of,
    definition_of, give, scope_of, value_of,
};
pub use crate::report::{Failure, RenderBoxed, RenderDebug, RenderError, Rendered};
pub use crate::test::{Drive, Options, TestMeta, Xfail, run_test};

/// The value for a `T` parameter.
#[must_use]
pub fn by_value<H>(value: H) -> H::Value
where
    H: Handle + Owned<H::Value>,
{
    value.into_value()
}

/// The value behind a `&mut T` parameter.
#[must_use]
pub fn exclusive<E: Exclusive>(value: E) -> E {
    value
}

/// The body of a test that returns nothing.
///
/// Neither this nor [`fallible`] is generic in the future: there is one of those in each test.
#[must_use]
pub fn infallible<'a>(body: Pin<Box<dyn Future<Output = ()> + 'a>>) -> SetupFuture<'a> {
    Box::pin(async move {
        body.await;
        Ok(())
    })
}

/// The body of a test that returns a `Result`; `render` tells its error.
#[must_use]
pub fn fallible<'a, R>(
    body: Pin<Box<dyn Future<Output = R> + 'a>>,
    render: fn(Rendered<R::Error>) -> Failure,
) -> SetupFuture<'a>
where
    R: Fallible + 'a,
{
    Box::pin(async move {
        match body.await.into_result() {
            Ok(_) => Ok(()),
            Err(error) => Err(render(error)),
        }
    })
}
