//! The life of a test, step by step.

mod case;
mod run;

pub use case::TestMeta;
pub use run::run_test;
