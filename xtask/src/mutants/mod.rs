//! Mistakes made in green-light's own resolver on purpose: the conformance check has to notice each.

mod list;
mod run;
mod tree;

pub(crate) use run::run;
