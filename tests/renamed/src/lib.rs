//! A crate that has renamed its dependency on green-light: `gl = { package = "green-light", .. }`.
//!
//! There is no `::green_light` here, so what an attribute emits without minding `crate = gl` does not
//! compile.

mod fixtures;

pub use fixtures::{greeting, port};

#[cfg(test)]
mod tests;
