//! A database on a server that a test may commit to.

use std::{fmt, sync::Arc, time::Duration};

use green_light_core::Mutex;

use crate::database_pool::{BoxFuture, DatabasePool};
use crate::driver::traits::{KeptDatabase, TestDatabase};
use crate::error::Error;
use crate::limits::Timeouts;
use crate::server::background::on_own_runtime;
use crate::server::client::ServerClient;
use crate::server::database_lease::DatabaseLease;
use crate::server::driver::{Admin, ServerDriver, TemplateInfo};
use crate::server::running_tests::RunningTest;
use crate::server::server_connection::ServerConnection as _;
use crate::server::server_wide;
use crate::server::template::{Edition, ServerTemplate};
use crate::url::DatabaseUrl;

/// How the database that tests share gets the contents of its template again, under the same name.
pub(crate) trait Restoring: ServerDriver {
    /// What is known of the database since it was last created, if that saves work.
    type Pristine: fmt::Debug + Send + Sync;

    /// Says who may still change the database `name`, if that does not end within `patience`. Returns the connection that
    /// it has asked by, if the next [`restore`](Self::restore) can go on with it.
    fn check_unlocked(
        client: &ServerClient<Self>,
        template: &TemplateInfo<Self>,
        name: &str,
        patience: Duration,
    ) -> impl Future<Output = Result<Option<Admin<Self>>, Error>> + Send;

    /// Restores the database `name`. With `is_held` a connection of an earlier test may still write to it.
    fn restore(
        client: &Arc<ServerClient<Self>>,
        template: &Arc<TemplateInfo<Self>>,
        name: &str,
        before: Before<Self>,
        is_held: bool,
        patience: Duration,
    ) -> impl Future<Output = Result<Option<Self::Pristine>, Error>> + Send;
}

/// What is left of the test before.
#[derive(Debug)]
pub(crate) struct Before<D: Restoring> {
    pub(crate) pristine: Option<D::Pristine>,
    #[allow(dead_code, reason = "not every server is asked by one that can go on")]
    pub(crate) connection: Option<Admin<D>>,
}

#[derive(Debug)]
pub(crate) struct ServerDatabase<D: Restoring> {
    client: Arc<ServerClient<D>>,
    template: Arc<ServerTemplate<D>>,
    /// What it is a copy of.
    edition: Arc<Edition<D>>,
    lease: DatabaseLease<D>,
    timeouts: Timeouts,
    pristine: Option<D::Pristine>,
    /// From the end of one test to the beginning of the next, in place of the connections of tests.
    connection: Mutex<Option<Admin<D>>>,
    /// The test that has it, as one of those that may change the server.
    running: Mutex<Option<RunningTest>>,
}

impl<D: Restoring> ServerDatabase<D> {
    /// One like `template` that `owner` may commit to.
    ///
    /// # Errors
    ///
    /// When none can be created, or there is no connection for it within the time of a long test.
    pub(crate) async fn create(
        template: &Arc<ServerTemplate<D>>,
        owner: &str,
        timeouts: Timeouts,
    ) -> Result<Box<dyn TestDatabase>, Error> {
        let edition = template.edition().await?;
        Ok(Box::new(Self {
            lease: template.lease(&edition, owner).await?,
            client: Arc::clone(&template.client),
            template: Arc::clone(template),
            edition,
            timeouts,
            pristine: None,
            connection: Mutex::default(),
            running: Mutex::default(),
        }))
    }
}

impl<D: Restoring> TestDatabase for ServerDatabase<D> {
    fn url(&self) -> &DatabaseUrl {
        self.lease.url()
    }

    fn open(&self) -> BoxFuture<'_, Result<DatabasePool, Error>> {
        Box::pin(self.lease.open(self.timeouts))
    }

    fn begin(&self, test: &str) {
        let running = self.client.driver.running();
        *self.running.lock() = running.map(|running| running.begin(test));
    }

    fn look_after<'a>(&'a self, test: &'a str) -> BoxFuture<'a, ()> {
        let running = self.running.lock().take();
        Box::pin(async move {
            if let Some(running) = running {
                server_wide::look_after(&self.client, test, running).await;
            }
        })
    }

    fn loss<'a>(&'a self, test: &'a str) -> BoxFuture<'a, Option<Error>> {
        Box::pin(async move {
            let (template, name) = (&self.edition.info, self.lease.name());
            let may_have_lost = self.client.may_have_lost(template, name).await;
            may_have_lost.then(|| {
                self.client
                    .loss(&format!("while test `{test}` was running"))
            })
        })
    }

    fn check_unlocked(&self) -> BoxFuture<'_, Result<(), Error>> {
        let (client, template) = (Arc::clone(&self.client), Arc::clone(&self.edition.info));
        let (name, patience) = (self.lease.name().to_owned(), self.timeouts.teardown);
        Box::pin(async move {
            let checked = on_own_runtime(async move {
                D::check_unlocked(&client, &template, &name, patience).await
            });
            let connection = checked.await?;
            *self.connection.lock() = connection;
            Ok(())
        })
    }

    fn restore(&mut self, is_held: bool) -> BoxFuture<'_, Result<(), Error>> {
        let client = Arc::clone(&self.client);
        let (name, patience) = (self.lease.name().to_owned(), self.timeouts.teardown);
        let mut before = Before {
            pristine: self.pristine.take(),
            connection: self.connection.lock().take(),
        };
        Box::pin(async move {
            let edition = self.template.edition().await?;
            let previous = std::mem::replace(&mut self.edition, edition);
            let template = Arc::clone(&self.edition.info);
            // Another template may have been made in other words.
            if !Arc::ptr_eq(&previous, &self.edition) {
                before.pristine = None;
            }
            let restored = on_own_runtime(async move {
                D::restore(&client, &template, &name, before, is_held, patience).await
            });
            self.pristine = restored.await?;
            Ok(())
        })
    }

    fn settle(&self) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(self.lease.end_prepared())
    }

    fn keep<'a>(
        self: Box<Self>,
        _test: &'a str,
        at_most: usize,
    ) -> BoxFuture<'a, Result<KeptDatabase, Error>> {
        Box::pin(async move {
            let url = self.lease.url().clone();
            self.lease.keep(at_most).await?;
            Ok(KeptDatabase {
                url,
                server_variable: Some(D::Connection::URL_VARIABLE),
            })
        })
    }
}
