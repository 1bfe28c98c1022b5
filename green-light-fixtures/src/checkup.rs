//! Not public API. What `cargo green-light` asks of this crate, so that it sees what tests will see.

use std::path::{Path, PathBuf};

use green_light_core::check_environment;

use crate::backend::Backend;
pub use crate::driver::server_facts::{ServerFacts, ServerState};
use crate::drivers::driver;
use crate::engine::{self, Engine};
use crate::error::Error;
use crate::files::base;
use crate::isolation::Isolation;
use crate::schema::definition::Schema;
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
