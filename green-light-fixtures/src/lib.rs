//! Fixtures of green-light: what a test that talks to a database is given.
//!
//! Not covered by semver: use it through the `green-light` facade, which re-exports everything here.
//!
//! | module | what it holds |
//! |---|---|
//! | `fixtures` | the fixtures themselves, which the facade publishes |
//! | `backend` | which databases there are, and what each does differently |
//! | `url` | where a database is, with its password out of sight |
//! | `server` | servers: found by a URL, or started from the installed programs |
//! | `schema` | what a database holds before any test runs |
//! | `given` | what the options of a test give to these fixtures |
//! | `template` | that schema, built once and kept: on a server, or as an image of SQLite in a file |
//! | `upkeep` | connections counted, waits and work in the background, on any server |
//! | `postgres` | templates, clones made ahead, connections and leftovers on a PostgreSQL server |
//! | `mysql` | templates, copies of them and leftovers on a MySQL server |
//! | `isolation` | how tests are kept apart |
//! | `sandbox` | transaction isolation: the kept connection and its guards |
//! | `database` | database and shared isolation: databases that tests commit to |
//! | `place` | what a test has of a database, whichever way it is kept apart |
//! | `engine`, `transaction`, `savepoint`, `session` | what tests hold |
//! | `rebuild`, `variable` | what the environment asks for |
//! | `error` | everything that can go wrong, in words |
//!
//! Without a database feature the crate holds no database code and pulls no database crate.

#![cfg_attr(
    not(all(
        feature = "sqlite",
        feature = "postgres",
        feature = "mysql",
        feature = "sea-orm"
    )),
    allow(
        dead_code,
        irrefutable_let_patterns,
        unused_imports,
        unused_mut,
        unused_variables,
        reason = "what one backend or SeaORM needs of the common parts, the others do not"
    )
)]

#[cfg(feature = "_database")]
mod backend;
#[cfg(feature = "_database")]
mod database;
#[cfg(feature = "_database")]
mod directory;
#[cfg(feature = "_database")]
mod engine;
#[cfg(feature = "_database")]
mod error;
pub mod fixtures;
mod given;
#[cfg(feature = "_database")]
mod isolation;
#[cfg(feature = "mysql")]
mod mysql;
#[cfg(feature = "_database")]
mod place;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "_database")]
mod rebuild;
#[cfg(feature = "_database")]
mod sandbox;
#[cfg(all(feature = "_database", feature = "sea-orm"))]
mod savepoint;
#[cfg(feature = "_database")]
mod schema;
#[cfg(feature = "_server")]
mod server;
#[cfg(feature = "_database")]
mod session;
#[cfg(feature = "_database")]
mod template;
#[cfg(feature = "_database")]
mod transaction;
#[cfg(feature = "_database")]
mod upkeep;
#[cfg(feature = "_database")]
mod url;
#[cfg(feature = "_database")]
mod variable;
#[cfg(feature = "_database")]
mod versions;

#[cfg(feature = "_database")]
pub use self::{
    backend::Backend,
    engine::{Engine, EngineBuilder, EngineStats},
    error::Error,
    isolation::Isolation,
    schema::{NewDatabase, Schema},
    session::Session,
    transaction::Transaction,
    url::DatabaseUrl,
};

#[cfg(all(feature = "_database", feature = "sea-orm"))]
pub use self::{savepoint::Savepoint, session::TransactionOptions};

#[doc(hidden)]
pub use green_light_core::__private;

#[cfg(all(
    feature = "_database",
    not(any(feature = "sqlite", feature = "postgres", feature = "mysql"))
))]
compile_error!(
    "`_database` is private to green-light-fixtures\n  help: enable `sqlite`, `postgres` or `mysql`"
);
#[cfg(all(feature = "_server", not(unix)))]
compile_error!("`postgres` and `mysql` need Linux or macOS\n  help: enable `sqlite` alone");
