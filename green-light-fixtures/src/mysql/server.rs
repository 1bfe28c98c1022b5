//! One server of MySQL or MariaDB: how to reach it, and what it said of itself.

use std::{
    collections::BTreeSet,
    fmt,
    sync::atomic::{AtomicU32, Ordering},
};

use green_light_core::Mutex;
use sqlx::{MySqlConnection, mysql::MySqlConnectOptions};

use crate::error::Error;
use crate::mysql::admin::AdminConnection;
use crate::mysql::errors::failed;
use crate::mysql::local_server::SERVER;
use crate::mysql::oldest_version;
use crate::mysql::registry_tables;
use crate::mysql::test_account;
use crate::mysql::url::for_all_drivers;
use crate::server::driver::{Entered, ServerAccess, ServerWide};
use crate::server::process_home::HOME;
use crate::url::DatabaseUrl;

/// How the names of processes begin.
const PROCESS: &str = "gl_p_";

/// One server of MySQL or MariaDB.
pub(crate) struct MySqlServer {
    /// How to reach it, with the database that its URL names.
    options: MySqlConnectOptions,
    pub(crate) is_ours: bool,
    /// What the contents of a new database depend on, besides the schema.
    fingerprint: String,
    /// The name of this process on this server. The process holds the lock of that name.
    /// It begins with its [`HOME`], where other processes look whether it lives.
    pub(crate) process: String,
    /// The digests of the templates that this process uses.
    pub(crate) templates_in_use: Mutex<BTreeSet<String>>,
}

/// The name of this process on one more server.
fn process_name() -> String {
    static SERVERS: AtomicU32 = AtomicU32::new(0);
    let number = SERVERS.fetch_add(1, Ordering::Relaxed);
    format!("{PROCESS}{}_{number}", &*HOME)
}

/// Where the process of that name runs.
pub(crate) fn home_of(process: &str) -> Option<&str> {
    process.strip_prefix(PROCESS)
}

/// A server of ours refuses it, see [`test_account`].
impl ServerWide for MySqlServer {}

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
                templates_in_use: Mutex::default(),
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

    fn fingerprint(&self) -> Vec<&str> {
        vec![registry_tables::FORMAT, &self.fingerprint]
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
