//! The steps by which an image is kept, for tests that end the process at each of them.

#[cfg(test)]
pub(crate) use crate::sqlite::template_cache_tests::step;

/// A step; nothing to users.
#[cfg(not(test))]
pub(crate) const fn step(_name: &str) {}
