//! What processes do for test databases on a server, whichever server it is: they count connections,
//! wait for each other, and work in the background.
//!
//! * What all must agree on is kept on the server, under locks that end with whoever holds them.
//! * A process has a runtime of its own for this, since the runtime of a test may end at any time.
//!
//! Nothing is waited for without an end, and what was waited for is told:
//!
//! * *An answer of a server.* What green-light itself asks goes through a [`AdminConnection`], which is bounded by
//!   `response_timeout.rs` and never used again once an answer is missing. What the user's own schema does may
//!   take any time, but only while the server lets others in.
//! * *A connection of a test.* Its pool has a time to wait; `Pool::end` and `Leaving::end` bound the end of
//!   the test. What the test itself asks is the test's affair, and its `timeout` the bound.
//! * *Another process*, by [`Backoff`], [`AdmissionLock`] and [`Round`], each of which has a limit.
//! * *Another task of this process*: it does one of the above, and a lock is held across nothing else. The
//!   end of the process waits for all of them together, and not long: `background.rs`.

pub(crate) mod admin_connection;
pub(crate) mod admission_lock;
pub(crate) mod background;
pub(crate) mod backlog;
pub(crate) mod connection_budget;
pub(crate) mod connection_holders;
pub(crate) mod guard_savepoint;
pub(crate) mod names;
pub(crate) mod parked;
pub(crate) mod query_ext;
pub(crate) mod reaper_pass;
pub(crate) mod reset_connection;
pub(crate) mod response_timeout;
pub(crate) mod server_connection;
pub(crate) mod stand_in;
