//! `cargo green-light databases`: what tests have left or kept.

pub(crate) mod choice;
pub(crate) mod command;
pub(crate) mod found;
pub(crate) mod list;
pub(crate) mod shell;
