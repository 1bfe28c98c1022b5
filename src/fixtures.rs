//! The fixtures that come with green-light, each of which can be overridden.

#[doc(inline)]
pub use green_light_fixtures::coroutine_context;
