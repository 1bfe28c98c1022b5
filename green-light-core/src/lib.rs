//! Internals of green-light.

mod config;
pub mod context;
pub mod fixture;
mod process;
mod report;
pub mod runtime;
mod test;

#[doc(hidden)]
pub mod __private;

pub use report::{Failure, TeardownResult};
