//! Which tests of this process have connections of a server.
//!
//! Whoever has some and waits for more may wait for somebody who does the same, on this server or on
//! another one. So only who has none waits; the others take what is there.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Once for each time that a test got some.
static TESTS: Mutex<Vec<Arc<str>>> = Mutex::new(Vec::new());

fn tests() -> MutexGuard<'static, Vec<Arc<str>>> {
    TESTS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A test has connections of a server, as long as this lives.
#[derive(Debug)]
pub(crate) struct Holding(Arc<str>);

impl Holding {
    pub(crate) fn of(test: &str) -> Self {
        let test: Arc<str> = test.into();
        tests().push(Arc::clone(&test));
        Self(test)
    }

    /// Whether `test` has some.
    pub(crate) fn has(test: &str) -> bool {
        tests().iter().any(|known| **known == *test)
    }

    /// Whether any test has some, which may be the one that waits.
    pub(crate) fn is_any() -> bool {
        !tests().is_empty()
    }
}

impl Drop for Holding {
    fn drop(&mut self) {
        let mut tests = tests();
        if let Some(at) = tests.iter().position(|known| *known == self.0) {
            tests.swap_remove(at);
        }
    }
}
