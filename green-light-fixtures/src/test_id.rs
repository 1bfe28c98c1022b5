//! Which test has a database or a connection.

use std::{fmt, sync::Arc, thread};

use green_light_core::running_test;

/// A test: others are told apart from it by its path, and messages have its name, which others may have too.
#[derive(Clone, Debug)]
pub(crate) struct TestId {
    pub(crate) path: Arc<str>,
    name: Arc<str>,
}

impl TestId {
    /// The test that runs here, or else one that is known by `name` alone.
    pub(crate) fn named(name: &str) -> Self {
        let path = running_test().map_or(name, |test| test.path);
        Self {
            path: path.into(),
            name: name.into(),
        }
    }

    /// The test that runs here, or else one that libtest has named this thread after.
    pub(crate) fn here() -> Self {
        let thread = thread::current();
        let name = thread.name().filter(|name| !name.starts_with("tokio-"));
        let name = running_test().map_or(name, |test| Some(test.name));
        Self::named(name.unwrap_or("(unnamed)"))
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }
}

impl fmt::Display for TestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}
