//! One PostgreSQL server: how to reach it, and what it said of itself.

use std::{
    collections::BTreeSet,
    fmt,
    sync::atomic::{AtomicI64, Ordering},
};

use green_light_core::Mutex;
use sqlx::{PgConnection, postgres::PgConnectOptions};

use crate::error::Error;
use crate::postgres::local_server::SERVER;
use crate::postgres::registry_tables::{self, ServerInfo};
use crate::postgres::server_watch::ServerWatch;
use crate::postgres::url::for_all_drivers;
use crate::server::driver::{Entered, ServerAccess};
use crate::server::names::{program, random_bytes};
use crate::url::DatabaseUrl;

/// The setting by which a server notices during a query that its client is gone, since version 14.
const CLIENT_CHECK: (&str, &str) = ("client_connection_check_interval", "200ms");

/// One PostgreSQL server.
pub(crate) struct PostgresServer {
    /// How to reach it, with the database that its URL names.
    options: PgConnectOptions,
    /// How to reach the maintenance database.
    maintenance: PgConnectOptions,
    pub(crate) info: ServerInfo,
    /// How often it has crashed, as far as is known.
    pub(crate) crashes: AtomicI64,
    /// The number of this process on this server. The process holds the lock of that number.
    pub(crate) key: i64,
    /// The templates that this process uses, by name. It holds a lock for each.
    pub(crate) templates_in_use: Mutex<BTreeSet<String>>,
    /// How `CREATE DATABASE` is to copy a template, as a part of that statement.
    ///
    /// A copy of files is dropped, and first connected to, in half of the time that one through the log needs.
    /// It takes two checkpoints, which cost little on a server that we started, because it syncs nothing to the
    /// disk.
    pub(crate) strategy: &'static str,
    /// What belongs to no database.
    pub(crate) watch: ServerWatch,
}

impl PostgresServer {
    /// The mark in the comment of every database of ours.
    pub(crate) fn mark(&self) -> String {
        let maintenance = self.maintenance.get_database().unwrap_or_default();
        format!("[made by green-light, see {maintenance}]")
    }
}

impl ServerAccess for PostgresServer {
    type Db = sqlx::Postgres;
    type Connection = PgConnection;

    async fn enter(url: &DatabaseUrl, is_ours: bool) -> Result<Entered<Self>, Error> {
        let options: PgConnectOptions = SERVER.parse(url)?;
        let program = program();
        let (mut admin, maintenance) = registry_tables::open(&options, &program).await?;
        let info = registry_tables::server_info(&mut admin).await?;
        let mut options = options.application_name(&program);
        if info.misses_client_disconnect {
            // Only sessions of tests get it; the setting of the server stays. Not every operating system can do it.
            let (name, value) = CLIENT_CHECK;
            let known = admin.run(format!("SET {name} = '{value}'")).await;
            if known.is_ok() {
                options = options.options([CLIENT_CHECK]);
            }
        }
        Ok(Entered {
            connections: info.connections,
            driver: Self {
                options,
                maintenance,
                // Older servers know no other way.
                strategy: match is_ours && info.version >= 150_000 {
                    true => "STRATEGY file_copy",
                    false => "",
                },
                watch: ServerWatch::new(is_ours, info.is_superuser),
                crashes: AtomicI64::new(info.crashes),
                info,
                key: i64::from_ne_bytes(random_bytes()),
                templates_in_use: Mutex::default(),
            },
            admin,
        })
    }

    fn admin_options(&self) -> &PgConnectOptions {
        &self.maintenance
    }

    fn options_of(&self, name: &str) -> PgConnectOptions {
        self.options.clone().database(name)
    }

    fn public_url(url: &DatabaseUrl) -> DatabaseUrl {
        for_all_drivers(url)
    }

    fn fingerprint(&self) -> Vec<String> {
        let info = &self.info;
        let crashes = match self.crashes.load(Ordering::Acquire) {
            0 => String::new(),
            crashes => format!(" after crash {crashes}"),
        };
        vec![
            registry_tables::FORMAT.to_owned(),
            info.major_version.clone(),
            format!("{}{crashes}", info.fingerprint),
            info.role.clone(),
        ]
    }
}

impl fmt::Debug for PostgresServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The options have a password.
        f.debug_struct("PostgresServer")
            .field("info", &self.info)
            .finish_non_exhaustive()
    }
}
