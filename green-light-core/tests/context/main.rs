//! What contexts, the crowd and the runtime promise, through the public door of the crate.

mod basics;
mod cancelled;
mod crowd;
mod dropped;
mod joins;
mod limits;
mod missing;
mod overflow;
mod panics;
mod runtime;
mod state;
mod stress;
mod support;
mod thread_stack;
