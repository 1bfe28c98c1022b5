//! Invitations by mail: each can be accepted once, for a day.
//!
//! Redis keeps those that are open, and a provider with an HTTP interface sends the mail. The tests in
//! `tests/invitations` start one Redis and one provider for all their processes.

mod error;
mod invitations;
mod mail;

pub use error::Error;
pub use invitations::Invitations;
pub use mail::{Mail, Provider};
