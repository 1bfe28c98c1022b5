//! A counter that many threads share.

use std::sync::atomic::{AtomicU64, Ordering};

/// Gives each caller a number of its own.
#[derive(Debug, Default)]
pub struct Tickets(AtomicU64);

impl Tickets {
    /// The next number.
    pub fn next(&self) -> u64 {
        self.0.fetch_add(1, Ordering::Relaxed)
    }
}
