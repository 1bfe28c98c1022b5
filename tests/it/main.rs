//! Behaviour through the facade: what a user's test binary sees.

mod autouse;
mod context;
mod crowd;
mod injection;
mod overrides;
mod runtime;
mod scopes;
mod teardown;
