//! The clients of this process: one for each server, opened when it is first needed, closed at the end of the
//! process.
//!
//! A client is opened on a runtime of its own, so that the test that asked for it may end meanwhile.

use std::{any::Any, sync::Arc, time::Duration};

use green_light_core::{Mutex, progress};
use tokio::sync::OnceCell;

use crate::error::{Error, Kind};
use crate::server::background::{on_own_runtime, run_at_exit, spawn};
use crate::server::client::ServerClient;
use crate::server::driver::ServerDriver;
use crate::server::server_wide::look_after_others;
use crate::server::{database_lease, reaper, shortage};
use crate::url::DatabaseUrl;

/// A client of any kind of server, once it is open.
type Cell = Arc<OnceCell<Arc<dyn Any + Send + Sync>>>;

/// How often a process looks whether it is still known. Sooner than others take it for gone.
const LOOK: Duration = Duration::from_millis(500);

static CLIENTS: Mutex<Vec<(DatabaseUrl, Cell)>> = Mutex::new(Vec::new());

/// The client of this process for the server at `url`, opened if it is not yet.
pub(crate) async fn client_of<D: ServerDriver>(
    url: &DatabaseUrl,
    is_ours: bool,
) -> Result<Arc<ServerClient<D>>, Error> {
    let (url, cell) = (url.clone(), cell_of(url));
    let client = on_own_runtime(async move {
        let client = cell.get_or_try_init(async || {
            let client = Arc::new(ServerClient::<D>::open(url, is_ours).await?);
            look_after_others(&client).await;
            keep_known(&client);
            let closing = Arc::clone(&client);
            green_light_core::at_exit(move || close(closing)).map_err(|error| {
                Error::new(
                    Kind::Connection,
                    "no function could be registered for the end of the process",
                )
                .because(error)
            })?;
            Ok(client as Arc<dyn Any + Send + Sync>)
        });
        client.await.cloned()
    });
    let client = client.await?.downcast();
    Ok(client.expect("a URL names one kind of server"))
}

fn cell_of(url: &DatabaseUrl) -> Cell {
    let mut clients = CLIENTS.lock();
    if let Some((_, cell)) = clients.iter().find(|(known, _)| known == url) {
        return Arc::clone(cell);
    }
    let cell = Cell::default();
    clients.push((url.clone(), Arc::clone(&cell)));
    cell
}

/// As long as the process lives, looks for the end of the connection by which it is known, and opens it again. Drops
/// what killed processes have left, beside the tests. While a test waits for a connection that the server does not give,
/// looks whether any session has begun or ended.
fn keep_known<D: ServerDriver>(client: &Arc<ServerClient<D>>) {
    let client = Arc::downgrade(client);
    spawn(async move {
        let (mut is_first, mut sessions) = (true, None);
        loop {
            tokio::time::sleep(LOOK).await;
            let Some(client) = client.upgrade() else {
                return;
            };
            if client.background.is_closing() {
                return;
            }
            let mut admin = client.admin().await;
            if shortage::is_waiting() {
                let found = client.driver.sessions(&mut admin).await.ok();
                if sessions
                    .replace(found.clone())
                    .is_some_and(|last| last != found)
                {
                    shortage::note_step();
                }
            } else {
                sessions = None;
            }
            drop(admin);
            if std::mem::take(&mut is_first) {
                reaper::reap_leftovers(&client).await;
            }
        }
    });
}

/// At the end of the process: recycles and drops its databases, and frees its locks.
fn close<D: ServerDriver>(client: Arc<ServerClient<D>>) {
    client.background.close();
    client.budget.close();
    let url = client.url.clone();
    run_at_exit(&url, async move {
        database_lease::recycle_all(&client).await;
        client.background.drain().await;
        reaper::reap_at_exit(&client).await;
        look_after_others(&client).await;
        let mut admin = client.admin().await;
        let _ = client.driver.unregister(&mut admin).await;
        if let Some(timeout) = admin.timed_out() {
            progress(&format!(
                "{timeout}; the next run drops what this process had"
            ));
        }
        // All locks are released. A permit that is dropped now must not send one more message, for which the end of the
        // process does not wait.
        std::mem::forget(admin);
    });
}
