//! Tests that fail on purpose, one module for each story. `output.rs` runs them and compares what
//! is printed; they are not part of `cargo test` themselves.

mod ambiguous;
mod around;
mod body;
mod cases;
mod crowd;
mod cycle;
mod database;
mod debugged;
mod drivers;
mod dynamic;
mod events;
mod hanging;
mod kept;
mod leftovers;
mod listed;
mod overriding;
mod passwords;
mod planned;
mod postgres;
mod refused;
mod setup;
mod shared;
mod should_panic;
mod skips;
mod slow;
mod spawned;
mod teardown;
mod thread_end;
mod timeouts;
mod with;
mod wrong_connection;
mod wrong_runtime;
mod xfail;
