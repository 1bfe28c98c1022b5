//! Where the sentences a user reads are made, and only here: one voice, and one place to test it.

mod failure;
mod rendered;

pub use failure::Failure;
pub use rendered::{RenderBoxed, RenderDebug, RenderError, Rendered, TeardownResult};
