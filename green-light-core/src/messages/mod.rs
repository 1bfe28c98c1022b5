//! The sentences that a run of tests prints.

pub(crate) mod described;
pub(crate) mod listing;
pub(crate) mod show;
pub(crate) mod text;
