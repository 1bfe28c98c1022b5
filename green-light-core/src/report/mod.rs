//! What went wrong and what happened, as values, and the one way to the terminal. The sentences about tests and
//! fixtures are in `messages/`, which is above.

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
