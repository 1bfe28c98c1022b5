//! The fixtures that come with green-light, each of which can be overridden.

#[doc(inline)]
pub use green_light_fixtures::fixtures::coroutine_context;
#[cfg(feature = "crowd")]
#[doc(inline)]
pub use green_light_fixtures::fixtures::crowd;
#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
#[doc(inline)]
pub use green_light_fixtures::fixtures::{
    backend, engine, isolation, schema, session, transaction,
};
