//! Fixtures of scope `run`: this program is the tests of a run, again and again, and a shell is its cargo.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "helpers of tests are tests too")]

mod costs;
mod errors;
mod kills;
mod life;
mod places;
mod reports;
mod run;
mod specimens;
