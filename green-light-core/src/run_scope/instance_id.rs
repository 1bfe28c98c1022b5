//! What an instance of a `run` fixture is known by, in all programs that have the fixture.

use std::fmt;

/// An instance of a `run` fixture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct InstanceId {
    /// The name of the fixture.
    pub(crate) fixture: &'static str,
    /// What the fixture is known by from one build to the next.
    pub(crate) declared: u64,
    /// What the instance is known by: the declaration in this build, and what it is built from.
    pub(crate) key: u64,
}

/// A beginning of the fixture's name, which a name of a file has room for, and the declaration.
impl fmt::Display for InstanceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name: String = self.fixture.chars().take(40).collect();
        write!(f, "{name}-{:016x}", self.declared)
    }
}
