//! A database in the hands of a test that may commit to it, and what becomes of it.

use sea_orm::{DatabaseConnection, SqlxMySqlConnector};
use sqlx::{
    ConnectOptions as _,
    mysql::{MySqlConnectOptions, MySqlPoolOptions},
};

use super::server::{MySqlServer, refused};
use crate::{
    backend::mysql, database::CONNECTIONS, error::Error, sandbox::Waits, url::DatabaseUrl,
};

/// Entered in the list of its run; dropped by `discard`, or by the next run.
#[derive(Debug)]
pub(crate) struct MySqlDatabase {
    server: MySqlServer,
    name: String,
    url: DatabaseUrl,
}

impl MySqlDatabase {
    pub(super) fn new(server: &MySqlServer, name: String) -> Self {
        let options = server.options_of(&name);
        Self {
            server: server.clone(),
            name,
            url: DatabaseUrl::new(options.to_url_lossy()),
        }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn url(&self) -> &DatabaseUrl {
        &self.url
    }

    /// How to connect to it.
    pub(crate) fn options(&self) -> MySqlConnectOptions {
        self.server.options_of(&self.name)
    }

    /// Opens a pool for the test that has it.
    pub(crate) async fn open(&self, waits: Waits) -> Result<DatabaseConnection, Error> {
        let pool = MySqlPoolOptions::new()
            .max_connections(CONNECTIONS)
            .acquire_timeout(waits.connection)
            .connect_with(self.options())
            .await
            .map_err(mysql::cannot_open)?;
        Ok(SqlxMySqlConnector::from_sqlx_mysql_pool(pool))
    }

    /// Drops it, whoever is still connected.
    pub(crate) async fn discard(self) -> Result<(), Error> {
        let cannot = |error| refused("drop the database of a test", error);
        self.server.clear(&self.name).await.map_err(cannot)?;
        self.server.drop_database(&self.name).await.map_err(cannot)
    }

    /// Leaves it for somebody to look at, as one of `at_most` so many.
    pub(crate) async fn keep(self, at_most: usize) -> Result<(), Error> {
        self.server
            .keep(&self.name, at_most)
            .await
            .map_err(|error| refused("keep the database of a test", error))
    }
}
