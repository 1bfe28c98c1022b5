//! One server of MySQL or MariaDB: how to reach it, and what it said of itself.

use std::{collections::BTreeSet, fmt, sync::atomic::AtomicI64};

use green_light_core::Mutex;
use sqlx::{MySqlConnection, mysql::MySqlConnectOptions};

use crate::error::Error;
use crate::mysql::admin::{AdminConnection, end_connections};
use crate::mysql::errors::failed;
use crate::mysql::local_server::SERVER;
use crate::mysql::oldest_version;
use crate::mysql::process_name::process_name;
use crate::mysql::registry_tables;
use crate::mysql::restarts::restarts;
use crate::mysql::server_watch::ServerWatch;
use crate::mysql::test_account;
use crate::mysql::url::for_all_drivers;
use crate::mysql::xa;
use crate::server::driver::{Entered, ServerAccess, ServerWide};
use crate::server::running_tests::{RunningTest, RunningTests, Settled};
use crate::url::DatabaseUrl;

/// One server of MySQL or MariaDB.
pub(crate) struct MySqlServer {
    /// How to reach it, with the database that its URL names.
    options: MySqlConnectOptions,
    pub(crate) is_ours: bool,
    /// What the contents of a new database depend on, besides the schema.
    fingerprint: String,
    /// The name of this process on this server. The process holds the lock of that name.
    /// It begins with its `HOME`, where other processes look whether it lives.
    pub(crate) process: String,
    /// How often it has been started again, as far as is known.
    pub(crate) restarts: AtomicI64,
    /// The digests of the templates that this process uses.
    pub(crate) templates_in_use: Mutex<BTreeSet<String>>,
    /// What belongs to no database, where tests may change it.
    pub(crate) watch: ServerWatch,
}

/// A server of ours refuses it to tests, see [`test_account`].
impl ServerWide for MySqlServer {
    fn running(&self) -> Option<&RunningTests> {
        (!self.is_ours).then_some(&self.watch.running)
    }

    async fn settle(
        &self,
        admin: &mut AdminConnection,
        ended: Option<&RunningTest>,
    ) -> Result<Settled, sqlx::Error> {
        if !self.is_ours {
            return self.watch.settle(admin, ended).await;
        }
        if ended.is_none() {
            xa::roll_back_leftovers(admin, &self.process).await?;
        }
        Ok(Settled::default())
    }

    async fn has_prepared(&self, admin: &mut AdminConnection) -> Result<bool, sqlx::Error> {
        Ok(self.is_ours && xa::is_one_prepared(admin).await?)
    }

    async fn end_prepared(
        &self,
        connection: &mut AdminConnection,
        name: &str,
    ) -> Result<(), sqlx::Error> {
        end_connections(connection, name).await?;
        // If it cannot be dropped, it is dropped later, like any other.
        let _ = xa::drop_database(connection, name).await;
        Ok(())
    }
}

impl ServerAccess for MySqlServer {
    type Db = sqlx::MySql;
    type Connection = MySqlConnection;

    async fn enter(url: &DatabaseUrl, is_ours: bool) -> Result<Entered<Self>, Error> {
        let options: MySqlConnectOptions = SERVER.parse(url)?;
        let cannot = |error| failed("MySQL cannot be reached", error);
        let mut admin = AdminConnection::connect_to_enter(&options)
            .await
            .map_err(cannot)?;
        let info = registry_tables::server_info(&mut admin).await;
        let (version, fingerprint) = info.map_err(cannot)?;
        oldest_version::check(&version)?;
        let connections = registry_tables::connection_limit(&mut admin).await;
        let connections = connections.map_err(cannot)?;
        registry_tables::create_tables(&mut admin)
            .await
            .map_err(|error| failed("the database `green_light` cannot be prepared", error))?;
        let restarts = restarts(&mut admin)
            .await
            .map_err(|error| failed("what a restart has emptied cannot be found out", error))?;
        if is_ours {
            let created = test_account::create(&mut admin).await;
            created.map_err(|error| failed("the account of tests cannot be made", error))?;
        }
        Ok(Entered {
            connections,
            driver: Self {
                options,
                is_ours,
                fingerprint,
                process: process_name(),
                restarts: AtomicI64::new(restarts),
                templates_in_use: Mutex::default(),
                watch: ServerWatch::default(),
            },
            admin,
        })
    }

    fn admin_options(&self) -> &MySqlConnectOptions {
        &self.options
    }

    fn options_of(&self, name: &str) -> MySqlConnectOptions {
        self.options.clone().database(name)
    }

    fn options_of_test(&self, name: &str) -> MySqlConnectOptions {
        let options = self.options_of(name);
        match self.is_ours {
            true => options.username(test_account::NAME),
            false => options,
        }
    }

    fn test_url(&self, url: DatabaseUrl) -> DatabaseUrl {
        match self.is_ours {
            true => test_account::url(&url),
            false => url,
        }
    }

    fn public_url(url: &DatabaseUrl) -> DatabaseUrl {
        for_all_drivers(url)
    }

    fn fingerprint(&self) -> Vec<String> {
        vec![registry_tables::FORMAT.to_owned(), self.fingerprint.clone()]
    }
}

impl fmt::Debug for MySqlServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The options have a password.
        f.debug_struct("MySqlServer")
            .field("process", &self.process)
            .finish_non_exhaustive()
    }
}
