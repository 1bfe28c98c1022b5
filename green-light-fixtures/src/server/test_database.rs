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
use crate::server::driver::{ServerDriver, TemplateInfo};
use crate::server::running_tests::RunningTest;
use crate::server::server_connection::ServerConnection as _;
use crate::server::server_wide;
use crate::server::template::{Edition, ServerTemplate};
use crate::url::DatabaseUrl;

/// How the database that tests share gets the contents of its template again, under the same name.
pub(crate) trait Restoring: ServerDriver {
    /// What is known of the database since it was last created, if that saves work.
    type Pristine: fmt::Debug + Send + Sync;

    /// Says who may still change the database `name`, if that does not end within `patience`.
    fn check_unlocked(
        client: &ServerClient<Self>,
        template: &TemplateInfo<Self>,
        name: &str,
        patience: Duration,
    ) -> impl Future<Output = Result<(), Error>> + Send;

    /// Restores the database `name`. With `is_held` a connection of an earlier test may still write to it.
    fn restore(
        client: &Arc<ServerClient<Self>>,
        template: &Arc<TemplateInfo<Self>>,
        name: &str,
        pristine: Option<Self::Pristine>,
        is_held: bool,
        patience: Duration,
    ) -> impl Future<Output = Result<Option<Self::Pristine>, Error>> + Send;
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
        Box::pin(on_own_runtime(async move {
            D::check_unlocked(&client, &template, &name, patience).await
        }))
    }

    fn restore(&mut self, is_held: bool) -> BoxFuture<'_, Result<(), Error>> {
        let client = Arc::clone(&self.client);
        let (name, patience) = (self.lease.name().to_owned(), self.timeouts.teardown);
        let pristine = self.pristine.take();
        Box::pin(async move {
            let edition = self.template.edition().await?;
            let before = std::mem::replace(&mut self.edition, edition);
            let template = Arc::clone(&self.edition.info);
            // Another template may have been made in other words.
            let pristine = pristine.filter(|_| Arc::ptr_eq(&before, &self.edition));
            let restored = on_own_runtime(async move {
                D::restore(&client, &template, &name, pristine, is_held, patience).await
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
