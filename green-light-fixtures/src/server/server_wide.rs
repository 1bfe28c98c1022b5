//! What a test changes in a server as a whole, where no database of a test ends: roles, settings, other databases.
//!
//! Nothing on the server says who has made such a change. All tests that ran when it was found may have, and what one of
//! them has made must not be taken away from it. So a change is settled when all of these have ended: on a server that
//! green-light started it is undone, and on any other it is only named.

use std::sync::Arc;

use green_light_core::{note, progress};

use crate::server::background::on_own_runtime;
use crate::server::client::ServerClient;
use crate::server::driver::ServerDriver;
use crate::server::running_tests::RunningTest;

/// `test` has ended: says in its output what it may have changed in the server.
pub(crate) async fn look_after<D: ServerDriver>(
    client: &Arc<ServerClient<D>>,
    test: &str,
    running: RunningTest,
) {
    let looking = Arc::clone(client);
    let settled = on_own_runtime(async move {
        let mut admin = looking.admin().await;
        let settled = looking.driver.settle(&mut admin, Some(&running)).await;
        settled.map_err(|error| D::failed("it is not known whether the server was changed", error))
    });
    let settled = settled.await;
    match settled.map(|settled| settled.told(&format!("while test `{test}` ran"))) {
        Ok(None) => {}
        Ok(Some(text)) => note(&text),
        Err(error) => note(&error.to_string()),
    }
}

/// Looks at what earlier processes have left, and at the end of this one.
pub(crate) async fn look_after_others<D: ServerDriver>(client: &ServerClient<D>) {
    let mut admin = client.admin().await;
    let settled = client.driver.settle(&mut admin, None).await;
    // If it cannot be asked, whatever needs the server next says so.
    let told = settled.map(|settled| settled.told("outside of the tests of this process"));
    if let Ok(Some(text)) = told {
        progress(&text);
    }
}
