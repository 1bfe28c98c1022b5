//! Fixtures of green-light. Use them through the facade, as `green_light::fixtures`.

mod context;

pub use context::coroutine_context;
