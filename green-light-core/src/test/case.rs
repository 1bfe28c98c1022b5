//! What the macros know about a test: the static data behind `#[green_light::test]`.

use std::fmt;
use std::time::Duration;

use super::options::Options;
use crate::fixture::{Definition, Dependency, Given, Location, TestBody};
use crate::report::Failure;

/// A test as declared.
pub struct TestMeta {
    /// `module_path!()` and the name of the function, or of one case of it.
    pub path: &'static str,
    /// The module that stands for a function with several cases: part of the test's name, but no
    /// module to those who wrote the function.
    pub group: Option<&'static str>,
    /// Where it was declared.
    pub location: Location,
    /// Parameters in order, without `&Request`.
    pub requests: &'static [Dependency],
    /// `uses(..)`, in order.
    pub uses: &'static [Dependency],
    /// What the test gives to fixtures.
    pub given: &'static [Given],
    /// `without(..)`.
    pub without: &'static [fn() -> &'static Definition],
    /// `context = false` leaves out the coroutine context.
    pub context: bool,
    /// Whether it is marked `#[ignore]`.
    pub ignored: bool,
    /// Marked `#[should_panic]`: what the message has to contain, maybe nothing.
    pub should_panic: Option<&'static str>,
    /// `timeout = ".."`.
    pub timeout: Option<Duration>,
    /// The options that few tests have.
    pub options: Options,
    /// Calls the user's function with the values of `requests`.
    pub body: TestBody,
}

impl TestMeta {
    /// A test that asks for nothing. What a test says beyond that, the macros say in fields of their
    /// own: most tests say little, and there are many of them to compile.
    #[must_use]
    pub const fn new(path: &'static str, file: &'static str, line: u32, body: TestBody) -> Self {
        Self {
            path,
            group: None,
            location: Location { file, line },
            requests: &[],
            uses: &[],
            given: &[],
            without: &[],
            context: true,
            ignored: false,
            should_panic: None,
            timeout: None,
            options: Options::NONE,
            body,
        }
    }

    /// The name libtest knows it by: the path without the crate.
    #[must_use]
    pub fn full_name(&self) -> &'static str {
        self.path
            .split_once("::")
            .map_or(self.path, |(_, name)| name)
    }

    /// The module the user wrote the test in.
    #[must_use]
    pub fn module(&self) -> &'static str {
        self.split().0
    }

    /// Its name in that module: that of the function, with the case behind it if there are several.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.split().1
    }

    /// Whether a panic with this message is what `#[should_panic]` asks for.
    pub(crate) fn expects(&self, failure: &Failure) -> bool {
        self.should_panic
            .is_some_and(|expected| failure.message.contains(expected))
    }

    fn split(&self) -> (&'static str, &'static str) {
        let Some((mut module, _)) = self.path.rsplit_once("::") else {
            return (self.path, self.path);
        };
        if let Some(group) = self.group {
            let mut at = module;
            while let Some((outer, last)) = at.rsplit_once("::") {
                at = outer;
                if last == group {
                    module = outer;
                    break;
                }
            }
        }
        (module, &self.path[module.len() + 2..])
    }
}

impl fmt::Debug for TestMeta {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestMeta")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}
