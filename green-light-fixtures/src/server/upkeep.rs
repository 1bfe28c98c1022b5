//! What a person does with the databases on a server, by `cargo green-light`.
//!
//! A process that does this is registered as one with tests is, but drops nothing unasked.

use std::time::{Duration, Instant};

use crate::database_pool::BoxFuture;
use crate::driver::listed_database::{DatabaseState, ListedDatabase, Shell, not_there};
use crate::driver::local_server_state::LocalServerState;
use crate::driver::upkeep::Upkeep;
use crate::error::{Error, Kind};
use crate::server::client::ServerClient;
use crate::server::names;
use crate::server::process_home::number_of;
use crate::server::test_server::{OnServer, TestServer};
use crate::url::DatabaseUrl;

/// How long to wait for another process that drops databases.
const OTHERS: Duration = Duration::from_secs(5);
/// How often to look whether it still does.
const PAUSE: Duration = Duration::from_millis(50);

/// This process on a server, as long as a person waits.
struct Visit<D: TestServer> {
    client: ServerClient<D>,
}

impl<D: TestServer> Visit<D> {
    async fn begin() -> Result<Self, Error> {
        let (url, is_ours) = D::find().await?;
        let client = ServerClient::open(url, is_ours).await?;
        Ok(Self { client })
    }

    async fn databases(&self) -> Result<Vec<ListedDatabase>, Error> {
        let mut admin = self.client.admin().await;
        let found = self.client.driver.registered(&mut admin).await;
        let found = found.map_err(|error| D::failed("the databases cannot be listed", error))?;
        let list = found.into_iter().map(|found| ListedDatabase {
            url: self.client.url_of(&found.name),
            state: found.state,
            test: found.test.filter(|test| !test.is_empty()),
            process: found.home.as_deref().and_then(number_of),
            age: found.age.map(|age| Duration::from_secs_f64(age.max(0.0))),
            size: found.size.and_then(|size| u64::try_from(size).ok()),
            sessions: u64::try_from(found.sessions).unwrap_or_default(),
            name: found.name,
        });
        Ok(list.collect())
    }

    async fn database(&self, name: &str) -> Result<ListedDatabase, Error> {
        let all = self.databases().await?;
        let found = all.into_iter().find(|found| found.name == name);
        found.ok_or_else(|| not_there(name))
    }

    /// Waits until no other process drops databases. Until the end of the visit, none begins to.
    async fn keep_reapers_off(&self) -> Result<(), Error> {
        let begun = Instant::now();
        loop {
            let mut admin = self.client.admin().await;
            let locked = D::lock_reaper(&mut admin).await;
            drop(admin);
            if locked.map_err(|error| D::failed("the databases cannot be locked", error))? {
                return Ok(());
            }
            if begun.elapsed() > OTHERS {
                let fact = "another process has been dropping databases for some seconds";
                return Err(Error::new(Kind::Connection, fact).help("try again in a moment"));
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn drop_database(&self, name: &str) -> Result<(), Error> {
        self.keep_reapers_off().await?;
        let found = self.database(name).await?;
        found.may_be_dropped()?;
        let driver = &*self.client.driver;
        let mut admin = self.client.admin().await;
        let cannot = |error| D::failed(format!("`{name}` cannot be dropped"), error);
        if found.state == DatabaseState::Kept {
            driver
                .mark_garbage(&mut admin, name)
                .await
                .map_err(cannot)?;
        }
        driver.drop_database(&mut admin, name).await.map_err(cannot)
    }

    async fn keep_database(&self, name: &str) -> Result<(), Error> {
        self.keep_reapers_off().await?;
        self.database(name).await?.may_be_kept()?;
        let mut admin = self.client.admin().await;
        // All that are kept stay.
        let kept = self.client.driver.keep(&mut admin, name, usize::MAX).await;
        kept.map_err(|error| D::failed(format!("`{name}` cannot be kept"), error))
    }

    /// The other processes with connections.
    async fn users(&self) -> Result<Vec<String>, Error> {
        let mut admin = self.client.admin().await;
        let holders = D::holders(&mut admin).await;
        let holders = holders.map_err(|error| D::failed("its users cannot be listed", error))?;
        let own = names::program();
        let others = holders.into_iter().map(|(name, _)| name);
        Ok(others.filter(|name| *name != own).collect())
    }

    /// Gives back the locks of this process, whatever came of it.
    async fn end<T>(self, came_of: Result<T, Error>) -> Result<T, Error> {
        let mut admin = self.client.admin().await;
        let driver = &*self.client.driver;
        // What remains is garbage of a process that has ended.
        let _ = driver.release_all(&mut admin).await;
        let _ = driver.unregister(&mut admin).await;
        came_of
    }
}

impl<D: TestServer> Upkeep for OnServer<D> {
    fn list_databases(&self) -> BoxFuture<'_, Result<Vec<ListedDatabase>, Error>> {
        Box::pin(async {
            let visit = Visit::<D>::begin().await?;
            let found = visit.databases().await;
            visit.end(found).await
        })
    }

    fn keep_database<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(async move {
            let visit = Visit::<D>::begin().await?;
            let kept = visit.keep_database(name).await;
            visit.end(kept).await
        })
    }

    fn drop_database<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(async move {
            let visit = Visit::<D>::begin().await?;
            let dropped = visit.drop_database(name).await;
            visit.end(dropped).await
        })
    }

    fn shell(&self, url: &DatabaseUrl) -> Shell {
        D::shell(url)
    }

    fn local_server(&self) -> Result<Option<LocalServerState>, Error> {
        D::local_server()
    }

    fn start_server(&self, time: Duration) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(D::start_local_server(time))
    }

    fn stop_server(&self) -> BoxFuture<'_, Result<bool, Error>> {
        Box::pin(D::stop_local_server())
    }

    fn server_users(&self) -> BoxFuture<'_, Result<Vec<String>, Error>> {
        Box::pin(async {
            let visit = Visit::<D>::begin().await?;
            let users = visit.users().await;
            visit.end(users).await
        })
    }
}
