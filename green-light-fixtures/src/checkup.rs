//! Not public API. What `cargo green-light` asks of this crate, so that it sees what tests will see.

use std::path::{Path, PathBuf};
use std::time::Duration;

use green_light_core::check_environment;

use crate::backend::Backend;
pub use crate::driver::listed_database::{DatabaseState, ListedDatabase, Shell};
pub use crate::driver::local_server_state::LocalServerState;
pub use crate::driver::server_facts::{ServerFacts, ServerState};
use crate::driver::upkeep::Upkeep;
use crate::drivers::driver;
use crate::engine::{self, Engine};
use crate::error::Error;
use crate::files::base;
use crate::isolation::Isolation;
use crate::schema::definition::Schema;
use crate::url::DatabaseUrl;
pub use crate::versions::CRATES as DRIVERS;

/// The databases, all of which this program can use.
pub const BACKENDS: [Backend; 3] = Backend::ALL;

/// Speaks for the tests that are built in `target`. To be called first.
pub fn use_target_directory(target: PathBuf) {
    base::use_target_directory(target);
}

/// Where green-light has its files.
///
/// # Errors
///
/// When there is no such place, with what to write.
pub fn directory() -> Result<&'static Path, Error> {
    base::base()
}

/// Whether all variables of green-light are understood.
///
/// # Errors
///
/// What is not, each with what to write.
pub fn check_variables() -> Result<(), Vec<String>> {
    let core = check_environment().err();
    let fixtures = engine::check_variables()
        .err()
        .map(|error| error.to_string());
    let found: Vec<String> = core.into_iter().chain(fixtures).collect();
    if found.is_empty() { Ok(()) } else { Err(found) }
}

/// What is known of the server of `backend`; `None` if it needs none.
///
/// # Errors
///
/// When its feature is off.
pub fn server_facts(backend: Backend) -> Result<Option<ServerFacts>, Error> {
    Ok(driver(backend)?.server_facts())
}

/// Finds or starts the server of `backend`, and asks it what it is.
///
/// # Errors
///
/// As in a test: with what to do.
pub async fn server_state(backend: Backend) -> Result<Option<ServerState>, Error> {
    driver(backend)?.server_state().await
}

/// Does what tests do: makes a template, and with each isolation a database or a transaction, and ends it.
///
/// # Errors
///
/// As in a test: with what to do.
pub async fn try_out(backend: Backend) -> Result<(), Error> {
    let schema = Schema::sql("CREATE TABLE green_light_checkup (id INTEGER PRIMARY KEY)");
    let engine = Engine::builder()
        .backend(backend)
        .schema(schema)
        .build()
        .await?;
    for isolation in [Isolation::Transaction, Isolation::Database] {
        engine.session(isolation).await?.finish().await?;
    }
    engine.close();
    Ok(())
}

fn upkeep(backend: Backend) -> Result<&'static dyn Upkeep, Error> {
    driver(backend)?
        .upkeep()
        .ok_or_else(|| backend.without_feature())
}

/// The server that green-light runs for the project, as it is now; `None` if there can be none. Starts nothing.
///
/// # Errors
///
/// When its directory cannot be used.
pub fn local_server(backend: Backend) -> Result<Option<LocalServerState>, Error> {
    upkeep(backend)?.local_server()
}

/// Starts that server, and lets it run for `time` whether or not tests use it.
///
/// # Errors
///
/// As in a test: with what to do.
pub async fn start_server(backend: Backend, time: Duration) -> Result<(), Error> {
    upkeep(backend)?.start_server(time).await
}

/// Stops that server, also under its users. Whether it ran.
///
/// # Errors
///
/// When it does not stop.
pub async fn stop_server(backend: Backend) -> Result<bool, Error> {
    upkeep(backend)?.stop_server().await
}

/// The processes that use the server, apart from this one.
///
/// # Errors
///
/// As in a test: with what to do.
pub async fn server_users(backend: Backend) -> Result<Vec<String>, Error> {
    upkeep(backend)?.server_users().await
}

/// The databases of green-light, the oldest first. Finds or starts the server.
///
/// # Errors
///
/// As in a test: with what to do.
pub async fn databases(backend: Backend) -> Result<Vec<ListedDatabase>, Error> {
    upkeep(backend)?.list_databases().await
}

/// Keeps a database whose test has ended.
///
/// # Errors
///
/// When it is another one, and when the server refuses.
pub async fn keep_database(backend: Backend, name: &str) -> Result<(), Error> {
    upkeep(backend)?.keep_database(name).await
}

/// Drops a database that is left or kept.
///
/// # Errors
///
/// When somebody uses it, tests will, or the server refuses.
pub async fn drop_database(backend: Backend, name: &str) -> Result<(), Error> {
    upkeep(backend)?.drop_database(name).await
}

/// What opens a database for a person.
///
/// # Errors
///
/// When the feature of its database is off.
pub fn shell(backend: Backend, url: &DatabaseUrl) -> Result<Shell, Error> {
    Ok(upkeep(backend)?.shell(url))
}
