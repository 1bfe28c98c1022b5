//! Behaviour through the facade: what a user's test binary sees.
#![expect(clippy::unwrap_used, reason = "a fixture that cannot go on fails")]

mod around;
mod autouse;
mod beside;
mod cases;
mod context;
mod crowd;
mod debug;
mod dynamic;
mod fresh;
mod given;
mod injection;
mod options;
mod overrides;
mod runtime;
mod scopes;
mod stack;
mod support_crate;
mod tasks;
mod teardown;
mod uses;
mod with;
