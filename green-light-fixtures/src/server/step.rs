//! The steps of a start, for tests that end the process at each of them.

#[cfg(test)]
pub(super) use super::tests::steps::step;

/// A step of a start; nothing to users.
#[cfg(not(test))]
pub(super) const fn step(_name: &str) {}
