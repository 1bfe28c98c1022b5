//! What a test changes in a server as a whole, where no database of a test ends: roles, settings, other databases.
//!
//! Nothing on the server says who has made such a change. All tests that ran when it was found may have, and what one of
//! them has made must not be taken away from it. So a change is settled when all of these have ended: on a server that
//! green-light started it is undone, and on any other it is only named.

use std::{
    collections::BTreeMap,
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use green_light_core::{Mutex, note, progress};

use crate::server::background::on_own_runtime;
use crate::server::client::ServerClient;
use crate::server::driver::{Admin, ServerAccess, ServerDriver};

/// How a server is looked after. By default it is not: its tests can do nothing of that kind, or are told at once.
pub(crate) trait ServerWide: ServerAccess {
    /// The tests that run, if it is looked after.
    fn running(&self) -> Option<&RunningTests> {
        None
    }

    /// Looks at what has changed, and undoes it if the server is ours. `ended` is the test that has ended.
    fn settle(
        &self,
        _admin: &mut Admin<Self>,
        _ended: Option<&RunningTest>,
    ) -> impl Future<Output = Result<Settled, sqlx::Error>> + Send {
        async { Ok(Settled::default()) }
    }
}

/// What has become of changes, each in words.
#[derive(Debug, Default)]
pub(crate) struct Settled {
    /// What was done to what.
    pub(crate) changes: Vec<String>,
    pub(crate) fate: &'static str,
    /// Others that may have done it, by name.
    pub(crate) others: Vec<String>,
}

impl Settled {
    /// What is said of it, if there is anything.
    fn told(self, when: &str) -> Option<String> {
        if self.changes.is_empty() {
            return None;
        }
        let mut text = format!("{when}, the server itself was changed; {}", self.fate);
        for change in self.changes {
            text.push_str(&format!("\n  {change}"));
        }
        if !self.others.is_empty() {
            text.push_str(&format!(
                "\n  by it, or by what ran at the same time: {}",
                self.others.join(", ")
            ));
        }
        text.push_str(
            "\n  help: make it in the schema of the engine, of which roles and their settings stay; a test that has \
             to change the server undoes that itself",
        );
        Some(text)
    }
}

/// The tests of this process that may change the server, by number.
#[derive(Clone, Debug, Default)]
pub(crate) struct RunningTests {
    names: Arc<Mutex<BTreeMap<u64, Arc<str>>>>,
    last: Arc<AtomicU64>,
}

impl RunningTests {
    /// `name` may change the server until what is returned is dropped.
    pub(crate) fn begin(&self, name: &str) -> RunningTest {
        let number = self.last.fetch_add(1, Ordering::Relaxed);
        self.names.lock().insert(number, name.into());
        RunningTest {
            number,
            tests: self.clone(),
        }
    }

    pub(crate) fn all(&self) -> BTreeMap<u64, Arc<str>> {
        self.names.lock().clone()
    }
}

/// A test that may change the server, or a schema that is being applied.
#[derive(Debug)]
pub(crate) struct RunningTest {
    pub(crate) number: u64,
    tests: RunningTests,
}

impl Drop for RunningTest {
    fn drop(&mut self) {
        self.tests.names.lock().remove(&self.number);
    }
}

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
