//! A mutex for what tests share: one of them may panic while it holds it.

use std::sync::{MutexGuard, PoisonError};

/// As that of the standard library, but without poison: the others go on. For crates of fixtures, too.
#[derive(Debug, Default)]
pub struct Mutex<T>(std::sync::Mutex<T>);

impl<T> Mutex<T> {
    /// A mutex that is free.
    pub const fn new(value: T) -> Self {
        Self(std::sync::Mutex::new(value))
    }

    /// Waits until it is free, and holds it as long as what this returns lives.
    pub fn lock(&self) -> MutexGuard<'_, T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
