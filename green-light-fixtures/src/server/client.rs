//! This process on one server: its registration, its admin connection, and what it does in the background.
//!
//! Invariant: the locks that say that this process lives are held by the admin connection, which is opened again if
//! it ends before the process does.

use std::{fmt, sync::Arc, time::Duration};

use sqlx::pool::PoolOptions;
use tokio::sync::MutexGuard;

use crate::error::{Error, Kind};
use crate::server::admin_connection::AdminConnection;
use crate::server::background::Background;
use crate::server::connection_budget::ConnectionBudget;
use crate::server::driver::{Admin, Options, Pool, ServerDriver, TemplateInfo};
use crate::server::parked::ParkedDatabases;
use crate::server::server_connection::ServerConnection as _;
use crate::server::shortage::{NoConnection, when_free};
use crate::url::DatabaseUrl;

/// This process on one server.
pub(crate) struct ServerClient<D: ServerDriver> {
    pub(crate) url: DatabaseUrl,
    pub(crate) driver: Arc<D>,
    pub(crate) budget: Arc<ConnectionBudget<D>>,
    pub(crate) background: Background,
    /// Databases of the sandbox that may be recycled.
    pub(crate) parked: ParkedDatabases<Pool<D>>,
}

impl<D: ServerDriver> ServerClient<D> {
    /// Registers this process on the server at `url` once there is room for it.
    pub(crate) async fn open(url: DatabaseUrl, is_ours: bool) -> Result<Self, Error> {
        let budget = ConnectionBudget::admit(&url, is_ours, || D::enter(&url, is_ours)).await?;
        let driver = Arc::clone(budget.driver());
        let registered = driver.register(&mut *budget.admin().await).await;
        registered.map_err(|error| {
            D::failed("this process could not be registered on the server", error)
        })?;
        Ok(Self {
            url,
            driver,
            budget: Arc::new(budget),
            background: Background::default(),
            parked: ParkedDatabases::default(),
        })
    }

    /// The connection of this process that holds its locks.
    pub(crate) async fn admin(&self) -> MutexGuard<'_, Admin<D>> {
        self.budget.admin().await
    }

    /// No other test gets the database `name`: ends the prepared transaction that its test has left.
    pub(crate) async fn end_prepared(&self, name: &str) -> Result<(), sqlx::Error> {
        let is_needed = { self.driver.has_prepared(&mut *self.admin().await).await? };
        if is_needed {
            let mut connection = self.driver.connect().await?;
            self.driver.end_prepared(&mut connection, name).await?;
            connection.close().await;
        }
        Ok(())
    }

    /// Notices if the connection of this process has ended, as it does when the server crashes.
    ///
    /// A connection that has replied a moment ago is not asked: no server crashes and is there again so fast.
    pub(crate) async fn look(&self) {
        drop(self.admin().await);
    }

    /// Whether the server has lost rows since the template `info` was found.
    pub(crate) fn has_lost(&self, info: &TemplateInfo<D>) -> bool {
        self.driver.losses() != info.losses
    }

    /// Whether the server has lost rows since the template `info` was found, of which the database `name` is a copy
    /// that may have had them.
    pub(crate) async fn may_have_lost(&self, info: &TemplateInfo<D>, name: &str) -> bool {
        self.look().await;
        if !self.has_lost(info) {
            return false;
        }
        let may_lose = self.driver.may_lose(&mut *self.admin().await, name).await;
        may_lose.unwrap_or(true)
    }

    /// The server has lost rows `meanwhile`.
    pub(crate) fn loss(&self, meanwhile: &str) -> Error {
        let text = format!("{} {}, {meanwhile}", D::Connection::SERVER, D::LOSS);
        Error::new(Kind::Connection, text)
            .help("run the test again, and look into the log of the server for what has ended it")
    }

    /// The URL of the database `name` on this server.
    pub(crate) fn url_of(&self, name: &str) -> DatabaseUrl {
        D::public_url(&self.url.with_database(name))
    }

    /// The URL by which a test reaches its database `name`.
    pub(crate) fn test_url_of(&self, name: &str) -> DatabaseUrl {
        self.driver.test_url(self.url_of(name))
    }

    /// Opens a pool with `options`. If its connections are not counted, the server may have none for it. Where there are
    /// few, all of them are opened at once, and if the server does not have as many for long, the pool has one.
    pub(crate) async fn open_pool(
        &self,
        options: Options<D>,
        connections: u32,
        is_counted: bool,
        wait: Duration,
    ) -> Result<Pool<D>, sqlx::Error> {
        let open = async |connections| {
            let pool = PoolOptions::<D::Db>::new()
                .max_connections(connections)
                .acquire_timeout(wait);
            let connect = async || pool.clone().connect_with(options.clone()).await;
            opened::<D, _, _>(&options, connect).await
        };
        if !is_counted {
            vacancy::<D>(&options).await?;
        }
        let pool = open(connections).await?;
        if connections == 1 || !self.budget.is_tight() {
            return Ok(pool);
        }
        match open_all::<D>(&pool, &options, connections).await {
            Err(error) if NoConnection::of(&error).is_some() => {
                pool.close().await;
                open(1).await
            }
            opened => opened.map(|()| pool),
        }
    }
}

/// Opens `connections` of `pool`.
async fn open_all<D: ServerDriver>(
    pool: &Pool<D>,
    options: &Options<D>,
    connections: u32,
) -> Result<(), sqlx::Error> {
    let mut all = Vec::new();
    while pool.size() < connections {
        if !all.is_empty() {
            vacancy::<D>(options).await?;
        }
        all.push(opened::<D, _, _>(options, async || pool.acquire().await).await?);
    }
    for mut connection in all {
        connection.return_to_pool().await;
    }
    Ok(())
}

/// Waits until the server has a connection: a pool of sqlx would not say what it waits for.
async fn vacancy<D: ServerDriver>(options: &Options<D>) -> Result<(), sqlx::Error> {
    let first = when_free::<D::Connection, _, _>(|| AdminConnection::connect(options));
    let first: Admin<D> = first.await?;
    first.close().await;
    Ok(())
}

/// What a pool opens by `open`, as soon as the server has a connection for it.
async fn opened<D: ServerDriver, T, F: Future<Output = Result<T, sqlx::Error>>>(
    options: &Options<D>,
    open: impl Fn() -> F,
) -> Result<T, sqlx::Error> {
    when_free::<D::Connection, _, _>(async || match open().await {
        Err(sqlx::Error::PoolTimedOut) => {
            let probe = AdminConnection::<D::Connection>::connect(options).await;
            let is_full = |error: &sqlx::Error| D::Connection::is_full(error);
            let full = probe.err().filter(is_full);
            Err(full.unwrap_or(sqlx::Error::PoolTimedOut))
        }
        opened => opened,
    })
    .await
}

impl<D: ServerDriver> fmt::Debug for ServerClient<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerClient")
            .field("url", &self.url)
            .field("budget", &self.budget)
            .finish_non_exhaustive()
    }
}
