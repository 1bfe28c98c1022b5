//! `cargo green-light doctor`: what keeps tests from running, or makes them slower.
//!
//! `tree` looks at dependencies, `environment` at variables and the directory, `databases` at servers. What they find
//! is a list of [`finding::Finding`].

pub(crate) mod command;
pub(crate) mod databases;
pub(crate) mod environment;
pub(crate) mod finding;
pub(crate) mod tree;
