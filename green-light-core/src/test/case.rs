//! What the macros know about a test: the static data behind `#[green_light::test]`.

use std::fmt;
use std::time::Duration;

use crate::fixture::{Definition, Dependency, Location, TestBody};

/// A test as declared.
pub struct TestMeta {
    /// The name of the function.
    pub name: &'static str,
    /// `module_path!()` of the declaration.
    pub module: &'static str,
    /// Where it was declared.
    pub location: Location,
    /// Parameters in order, without `&Request`.
    pub requests: &'static [Dependency],
    /// `uses(..)`, in order.
    pub uses: &'static [Dependency],
    /// `without(..)`.
    pub without: &'static [fn() -> &'static Definition],
    /// `context = false` leaves out the coroutine context.
    pub context: bool,
    /// Whether it is marked `#[ignore]`.
    pub ignored: bool,
    /// Whether it is marked `#[should_panic]`.
    pub should_panic: bool,
    /// `timeout = ".."`.
    pub timeout: Option<Duration>,
    /// Calls the user's function with the values of `requests`.
    pub body: TestBody,
}

impl TestMeta {
    /// The name libtest knows it by: the path without the crate.
    #[must_use]
    pub fn full_name(&self) -> String {
        match self.module.split_once("::") {
            Some((_, path)) => format!("{path}::{}", self.name),
            None => self.name.to_owned(),
        }
    }
}

impl fmt::Debug for TestMeta {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestMeta")
            .field("name", &self.name)
            .field("module", &self.module)
            .finish_non_exhaustive()
    }
}
