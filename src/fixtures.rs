//! The fixtures that come with green-light, each of which can be overridden.

#[doc(inline)]
pub use green_light_fixtures::fixtures::coroutine_context;
#[cfg(feature = "crowd")]
#[doc(inline)]
pub use green_light_fixtures::fixtures::crowd;
#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
#[doc(inline)]
pub use green_light_fixtures::fixtures::{
    backend, database_url, engine, isolation, schema, session, transaction,
};
#[cfg(feature = "mysql")]
#[doc(inline)]
pub use green_light_fixtures::fixtures::{mysql_connection, mysql_pool};
#[cfg(feature = "postgres")]
#[doc(inline)]
pub use green_light_fixtures::fixtures::{pg_connection, pg_pool};
#[cfg(feature = "sqlite")]
#[doc(inline)]
pub use green_light_fixtures::fixtures::{sqlite_connection, sqlite_pool};
