//! Which tests of this process have connections of a server.
//!
//! Whoever has some and waits for more may wait for somebody who does the same, on this server or on
//! another one. So only who has none waits; the others take what is there. What the tests of a process share
//! stays until it ends, which may be what another process waits for: beside it, a test waits only for
//! another test of its own process.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// In whose name the tests that share a database have theirs.
pub(crate) const SHARED: &str = "the tests that share a database";

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

    /// Whether `test` may wait for more.
    pub(crate) fn may_wait(test: &str) -> bool {
        let tests = tests();
        let is_shared = |known: &&Arc<str>| ***known == *SHARED;
        let shares = tests.iter().any(|known| is_shared(&known));
        let others = tests.iter().any(|known| !is_shared(&known));
        !tests.iter().any(|known| **known == *test) && (!shares || others)
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
