//! Accounts, and money that moves between them.

mod account;

pub use account::{Refused, balance, open, transfer, transfers};
