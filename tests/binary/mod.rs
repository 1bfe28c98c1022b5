//! Test binaries that only other tests run.

mod build;

pub(crate) use build::build;
