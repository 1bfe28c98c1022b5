//! Not public API. The only door for code that the macros generate.

use std::future::Future;
use std::pin::Pin;

pub use linkme;

pub use crate::context::wait::synchronous;
pub use crate::fixture::arguments::Arguments;
pub use crate::fixture::around::{AroundFuture, Next, Outcome};
pub use crate::fixture::check::{
    IsNoResult, IsResult, check_inherited_scope, check_output, check_override, check_override_kind,
    check_override_type, check_scope, definition_of, value_of,
};
pub use crate::fixture::definition::{
    Body, BodyArgs, BodyFuture, Counter, Definition, Dependency, FIXTURES, KEPT, LISTED, Listed,
    Location, ModuleUses, Reach, Request, USES, ValueType,
};
pub use crate::fixture::fixture_trait::{Declared, Fallible, Fixture, HasDefaults, defaults_of};
pub use crate::fixture::inherited::{Keep, KeepLocal, KeepShared, scope_of};
pub use crate::fixture::kind::{Exclusive, Handle, Inherited, Owned, PerTest, PerUse, Shared};
pub use crate::fixture::scope::Scope;
pub use crate::fixture::supplied::{Supplied, supply};
pub use crate::fixture::test_meta::{TESTS, TestMeta};
pub use crate::fixture::test_options::{Options, RuntimeChoice, Xfail};
pub use crate::fixture::transfer::decoder;
pub use crate::fixture::yields::Yield;
pub use crate::report::failure::Failure;
pub use crate::report::rendered::{RenderBoxed, RenderDebug, RenderError, Rendered};
pub use crate::test::run::run_test;

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
pub fn infallible<'a>(body: Pin<Box<dyn Future<Output = ()> + 'a>>) -> BodyFuture<'a> {
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
) -> BodyFuture<'a>
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
