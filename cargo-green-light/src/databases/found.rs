//! The databases that there are.

use green_light_fixtures::Backend;
use green_light_fixtures::checkup::{self, DatabaseState, ListedDatabase};
use serde::Serialize;
use tokio::runtime::Runtime;

use crate::error::Error;
use crate::spinner::Spinner;

/// A database of green-light, and which kind it is.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) backend: Backend,
    pub(crate) database: ListedDatabase,
}

/// As a program reads it.
#[derive(Serialize)]
pub(crate) struct Shown<'a> {
    name: &'a str,
    backend: &'a str,
    state: &'a str,
    test: Option<&'a str>,
    process: Option<u32>,
    /// In seconds, since it is in this state.
    age: Option<f64>,
    /// In bytes.
    size: Option<u64>,
    sessions: u64,
    /// Without a password.
    url: String,
}

impl Found {
    pub(crate) fn shown(&self) -> Shown<'_> {
        let database = &self.database;
        Shown {
            name: &database.name,
            backend: self.backend.name(),
            state: database.state.name(),
            test: database.test.as_deref(),
            process: database.process,
            age: database.age.map(|age| age.as_secs_f64()),
            size: database.size,
            sessions: database.sessions,
            url: database.url.redacted(),
        }
    }

    /// Whether tests have ended with it.
    pub(crate) fn is_over(&self) -> bool {
        matches!(
            self.database.state,
            DatabaseState::Left | DatabaseState::Kept
        )
    }
}

/// All databases: in files, on servers that a variable names, and on those that green-light has started here before.
pub(crate) fn all(runtime: &Runtime) -> Result<Vec<Found>, Error> {
    let mut all = Vec::new();
    for backend in checkup::BACKENDS {
        if !may_have_some(backend)? {
            continue;
        }
        let spinner = Spinner::start(format!("asking {backend}"));
        let found = runtime.block_on(checkup::databases(backend))?;
        drop(spinner);
        all.extend(
            found
                .into_iter()
                .map(|database| Found { backend, database }),
        );
    }
    Ok(all)
}

/// Whether there is a server with databases, or none is needed. No server is started that has none.
fn may_have_some(backend: Backend) -> Result<bool, Error> {
    match checkup::server_facts(backend)? {
        Some(facts) if !facts.is_named => {
            let local = checkup::local_server(backend)?;
            Ok(local.is_some_and(|local| local.was_started))
        }
        _ => Ok(true),
    }
}
