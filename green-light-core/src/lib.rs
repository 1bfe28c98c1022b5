//! Internals of green-light.

pub mod fixture;
mod report;
mod test;

#[doc(hidden)]
pub mod __private;

pub use report::{Failure, TeardownResult};
