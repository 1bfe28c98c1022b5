//! `cargo green-light fixtures`, `plan`, `graph` and `durations`: what the tests say of themselves.

pub(crate) mod drawing;
pub(crate) mod durations;
pub(crate) mod fixtures;
pub(crate) mod graph;
pub(crate) mod picture;
pub(crate) mod places;
pub(crate) mod plan;
pub(crate) mod planned;
