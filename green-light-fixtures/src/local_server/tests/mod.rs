//! Servers as their users see them: processes that start, share, are killed, and leave nothing.
//!
//! Each test has a target directory of its own. A user is this executable, running the one test
//! that does nothing but use a server until it is killed or told to end.

pub(crate) mod crash;
mod guests;
pub(crate) mod life;
pub(crate) mod products;
pub(crate) mod settings;
pub(super) mod steps;
pub(crate) mod support;
