//! What a person does with the databases and the server of a driver, by `cargo green-light`.

use std::time::Duration;

use crate::database_pool::BoxFuture;
use crate::driver::listed_database::{ListedDatabase, Shell};
use crate::driver::local_server_state::LocalServerState;
use crate::error::Error;
use crate::url::DatabaseUrl;

/// Asked for by [`Driver::upkeep`](crate::driver::traits::Driver::upkeep).
pub(crate) trait Upkeep: Send + Sync {
    /// The databases of green-light. Finds or starts the server.
    fn list_databases(&self) -> BoxFuture<'_, Result<Vec<ListedDatabase>, Error>>;

    /// Keeps a database whose test has ended, until a person drops it.
    fn keep_database<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<(), Error>>;

    /// Drops a database that no test uses.
    fn drop_database<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<(), Error>>;

    /// What opens the database at `url` for a person.
    fn shell(&self, url: &DatabaseUrl) -> Shell;

    /// The server that green-light runs for this project; `None` if it needs none, a variable names another one, or no
    /// program is installed. Starts nothing.
    fn local_server(&self) -> Result<Option<LocalServerState>, Error> {
        Ok(None)
    }

    /// Starts that server, which then runs for `time` without any test.
    fn start_server(&self, _time: Duration) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(async { Ok(()) })
    }

    /// Stops that server, also under its users. Whether it ran.
    fn stop_server(&self) -> BoxFuture<'_, Result<bool, Error>> {
        Box::pin(async { Ok(false) })
    }

    /// The processes that use the server, apart from this one.
    fn server_users(&self) -> BoxFuture<'_, Result<Vec<String>, Error>> {
        Box::pin(async { Ok(Vec::new()) })
    }
}
