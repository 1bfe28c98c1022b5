//! Fixtures of green-light: what a test that talks to a database is given.
//!
//! Not covered by semver: use it through the `green-light` facade, which re-exports everything here.
//!
//! | module | what it holds |
//! |---|---|
//! | `fixtures` | the fixtures themselves, which the facade publishes |
//! | `engine` | makes sessions: from a schema, a driver and pools of what is ready |
//! | `session` | what tests hold: session, transaction, savepoint |
//! | `sandbox` | transaction isolation: kept connections, lent to one test at a time |
//! | `database` | database and shared isolation: databases that tests commit to |
//! | `sqlite`, `postgres`, `mysql` | all that is particular to one database |
//! | `server` | what processes share on a server: templates, ready databases, connections, leftovers |
//! | `local_server` | servers that are started from the installed programs |
//! | `driver` | what the rest of the crate knows of a database |
//! | `schema` | what a database holds before any test runs |
//! | `sql` | SQL as text |
//! | `databases`, `drivers` | the list of databases, and of their drivers |
//! | `orm` | pools as SeaORM takes them |
//! | `backend`, `url`, `isolation` | which databases there are; where one is; how tests are kept apart |
//! | `database_pool` | a pool of sqlx, whichever database it belongs to |
//! | `error`, `env`, `limits` | what can go wrong; the variables of the environment; timeouts and numbers of connections |
//! | `files`, `digest`, `backoff`, `versions` | locks, whole files, directories that go with their process; short hashes; bounded waits; versions of drivers |
//! | `checkup` | what `cargo green-light` asks, and what it does with databases and servers |
//! | `failpoint` | where tests kill the process |
//!
//! Without the feature of a database the crate is empty.

#![cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]

pub(crate) mod backend;
pub(crate) mod backoff;
#[doc(hidden)]
pub mod checkup;
pub(crate) mod database;
pub(crate) mod database_pool;
pub(crate) mod databases;
pub(crate) mod digest;
pub(crate) mod driver;
pub(crate) mod drivers;
pub(crate) mod engine;
pub(crate) mod env;
pub(crate) mod error;
pub(crate) mod failpoint;
pub(crate) mod files;
pub mod fixtures;
pub(crate) mod isolation;
pub(crate) mod limits;
#[cfg(feature = "_server")]
pub(crate) mod local_server;
#[cfg(feature = "mysql")]
pub(crate) mod mysql;
#[cfg(feature = "sea-orm")]
pub(crate) mod orm;
#[cfg(feature = "postgres")]
pub(crate) mod postgres;
pub(crate) mod sandbox;
pub(crate) mod schema;
#[cfg(feature = "_server")]
pub(crate) mod server;
pub(crate) mod session;
pub(crate) mod sql;
#[cfg(feature = "sqlite")]
pub(crate) mod sqlite;
pub(crate) mod test_id;
pub(crate) mod url;
pub(crate) mod versions;

pub use crate::backend::Backend;
pub use crate::driver::engine_builder::EngineBuilder;
pub use crate::engine::{Engine, EngineStats};
pub use crate::error::Error;
pub use crate::isolation::Isolation;
pub use crate::schema::definition::Schema;
pub use crate::schema::new_database::NewDatabase;
pub use crate::session::handle::Session;
#[cfg(feature = "sea-orm")]
pub use crate::session::orm::options::TransactionOptions;
pub use crate::session::savepoint::Savepoint;
pub use crate::session::transaction::Transaction;
pub use crate::url::DatabaseUrl;

#[doc(hidden)]
pub use green_light_core::__private;
