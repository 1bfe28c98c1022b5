//! Where the sentences a user reads are made, and only here: one voice, and one place to test it.

pub(crate) mod durations;
pub(crate) mod events;
pub(crate) mod explain;
pub(crate) mod failure;
pub(crate) mod hook;
pub(crate) mod panics;
pub(crate) mod print;
pub(crate) mod redact;
pub(crate) mod remark;
pub(crate) mod rendered;
pub(crate) mod skip;
