//! The steps of a start, for tests that end the process at each of them.

#[cfg(test)]
pub(crate) use crate::local_server::tests::steps::step;

/// A step of a start; nothing to users.
#[cfg(not(test))]
pub(crate) const fn step(_name: &str) {}
