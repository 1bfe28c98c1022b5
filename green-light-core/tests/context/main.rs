//! What contexts promise, through the public door of the crate.

mod basics;
mod support;
