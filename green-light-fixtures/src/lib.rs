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
//! | `macros` | what the options of a test give to these fixtures |
//! | `backend`, `url`, `isolation` | which databases there are; where one is; how tests are kept apart |
//! | `database_pool` | a pool of sqlx, whichever database it belongs to |
//! | `error`, `env`, `limits` | what can go wrong; the variables of the environment; timeouts and numbers of connections |
//! | `files`, `digest`, `backoff`, `versions` | locks, whole files, directories that go with their process; short hashes; bounded waits; versions of drivers |
//! | `failpoint` | where tests kill the process |
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
        reason = "what one database needs of the common layers, the others do not"
    )
)]

#[cfg(feature = "_database")]
pub(crate) mod backend;
#[cfg(feature = "_database")]
pub(crate) mod backoff;
#[cfg(feature = "_database")]
pub(crate) mod database;
#[cfg(feature = "_database")]
pub(crate) mod database_pool;
#[cfg(feature = "_database")]
pub(crate) mod digest;
#[cfg(feature = "_database")]
pub(crate) mod driver;
#[cfg(feature = "_database")]
pub(crate) mod drivers;
#[cfg(feature = "_database")]
pub(crate) mod engine;
#[cfg(feature = "_database")]
pub(crate) mod env;
#[cfg(feature = "_database")]
pub(crate) mod error;
#[cfg(feature = "_database")]
pub(crate) mod failpoint;
#[cfg(feature = "_database")]
pub(crate) mod files;
pub mod fixtures;
#[cfg(feature = "_database")]
pub(crate) mod isolation;
#[cfg(feature = "_database")]
pub(crate) mod limits;
#[cfg(feature = "_server")]
pub(crate) mod local_server;
pub(crate) mod macros;
#[cfg(feature = "mysql")]
pub(crate) mod mysql;
#[cfg(feature = "postgres")]
pub(crate) mod postgres;
#[cfg(feature = "_database")]
pub(crate) mod sandbox;
#[cfg(feature = "_database")]
pub(crate) mod schema;
#[cfg(feature = "_server")]
pub(crate) mod server;
#[cfg(feature = "_database")]
pub(crate) mod session;
#[cfg(feature = "_database")]
pub(crate) mod sql;
#[cfg(feature = "sqlite")]
pub(crate) mod sqlite;
#[cfg(feature = "_database")]
pub(crate) mod test_id;
#[cfg(feature = "_database")]
pub(crate) mod url;
#[cfg(feature = "_database")]
pub(crate) mod versions;

#[cfg(feature = "_database")]
pub use crate::backend::Backend;
#[cfg(feature = "_database")]
pub use crate::engine::{Engine, EngineBuilder, EngineStats};
#[cfg(feature = "_database")]
pub use crate::error::Error;
#[cfg(feature = "_database")]
pub use crate::isolation::Isolation;
#[cfg(feature = "_database")]
pub use crate::schema::definition::Schema;
#[cfg(feature = "_database")]
pub use crate::schema::new_database::NewDatabase;
#[cfg(feature = "_database")]
pub use crate::session::handle::Session;
#[cfg(feature = "_database")]
pub use crate::session::transaction::Transaction;
#[cfg(feature = "_database")]
pub use crate::url::DatabaseUrl;

#[cfg(all(feature = "_database", feature = "sea-orm"))]
pub use crate::session::orm::options::TransactionOptions;
#[cfg(all(feature = "_database", feature = "sea-orm"))]
pub use crate::session::orm::savepoint::Savepoint;

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
