//! How long an engine waits, and how many connections a test may have.

use std::time::Duration;

/// How many connections a test may have at the same time through its own session.
pub(crate) const SESSION_CONNECTIONS: u32 = 5;

/// How long an engine waits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timeouts {
    /// For the connection of a test, while a transaction holds it.
    pub(crate) connection: Duration,
    /// For what a test left running, at its end.
    pub(crate) teardown: Duration,
}
