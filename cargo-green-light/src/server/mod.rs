//! `cargo green-light server`: the servers that green-light runs.

pub(crate) mod command;
pub(crate) mod logs;
pub(crate) mod status;
