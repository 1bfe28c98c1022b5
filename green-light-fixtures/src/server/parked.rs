//! Databases of the sandbox that wait for a test of this process, and that nothing was committed to.
//!
//! When none comes, because their engine or the process ends, they go back into stock: the next process
//! takes one of them, and nothing is to be made or dropped.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::driver::monitor::SandboxMonitor;

/// The databases that rest, by name.
#[derive(Debug)]
pub(crate) struct Resting<P>(Mutex<HashMap<String, Rested<P>>>);

/// What reaches a database that rests.
#[derive(Clone, Debug)]
pub(crate) struct Rested<P> {
    pub(crate) pool: P,
    pub(crate) guard: Arc<SandboxMonitor>,
}

impl<P> Default for Resting<P> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<P> Resting<P> {
    fn all(&self) -> MutexGuard<'_, HashMap<String, Rested<P>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn lay(&self, name: &str, pool: P, guard: &Arc<SandboxMonitor>) {
        let guard = Arc::clone(guard);
        self.all().insert(name.to_owned(), Rested { pool, guard });
    }

    pub(crate) fn take(&self, name: &str) -> Option<Rested<P>> {
        self.all().remove(name)
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.all().contains_key(name)
    }

    /// All of them, none of which rests from here on.
    pub(crate) fn take_all(&self) -> Vec<(String, Rested<P>)> {
        self.all().drain().collect()
    }
}
