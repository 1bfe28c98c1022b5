//! This process on one server: its key, its connection, and the runtime that works for it.
//!
//! Invariants: the key's lock is held as long as the connection lives, so as long as the process
//! does, and by every connection that makes a database, since the server may go on with that when the
//! process is gone. What is begun here goes on when the test that asked for it is gone; what it then
//! brings is given back.

use std::sync::Arc;

use green_light_core::progress;
use sqlx::{PgPool, postgres::PgConnectOptions};
use tokio::sync::{Mutex, MutexGuard};

use crate::error::{Error, Kind};
use crate::local_server::origin::{Origin, not_a_url};
use crate::postgres::admin::{AdminConnection, run};
use crate::postgres::errors::failed;
use crate::postgres::registry::{Facts, LISTENING, USE};
use crate::postgres::{reaper, recycle, registry};
use crate::server::background::{Background, last, on_own_runtime};
use crate::server::connection_budget::{Budget, Entered};
use crate::server::names::{program, random_bytes};
use crate::server::parked::Resting;
use crate::server::query_ext::QueryExt as _;
use crate::url::DatabaseUrl;

/// This process on one server.
pub(crate) struct Office {
    server: DatabaseUrl,
    /// How to reach the server, with the database that the URL names.
    pub(crate) options: PgConnectOptions,
    /// How to reach the maintenance database.
    pub(crate) maintenance: PgConnectOptions,
    pub(crate) facts: Facts,
    /// The number of this process on this server, whose lock it holds.
    pub(crate) key: i64,
    pub(crate) budget: Arc<Budget<AdminConnection>>,
    pub(crate) background: Background,
    /// Databases of the sandbox that may go back into stock.
    pub(crate) resting: Resting<PgPool>,
}

impl Office {
    /// The office of this process at `server`, opened if it is not yet.
    pub(crate) async fn at(server: &DatabaseUrl) -> Result<Arc<Self>, Error> {
        static OPEN: Mutex<Vec<Arc<Office>>> = Mutex::const_new(Vec::new());
        let server = server.clone();
        on_own_runtime(async move {
            let mut open = OPEN.lock().await;
            if let Some(office) = open.iter().find(|office| office.server == server) {
                return Ok(Arc::clone(office));
            }
            let office = Arc::new(Self::open(server).await?);
            open.push(Arc::clone(&office));
            let ending = Arc::clone(&office);
            green_light_core::at_exit(move || ending.at_exit()).map_err(|error| {
                Error::new(
                    Kind::Connection,
                    "no function could be registered for the end of the process",
                )
                .because(error)
            })?;
            Ok(office)
        })
        .await
    }

    async fn open(server: DatabaseUrl) -> Result<Self, Error> {
        let options: PgConnectOptions = (server.expose().parse())
            .map_err(|error| not_a_url(Origin::POSTGRES, &server, error))?;
        let application = program();
        let (budget, (maintenance, facts)) =
            Budget::admit(&server, || enter(&options, &application)).await?;
        let mut options = options.application_name(&application);
        if facts.is_deaf {
            options = listening(&mut *budget.front().await, options).await;
        }
        let office = Self {
            server,
            options,
            maintenance,
            facts,
            key: new_key(),
            budget: Arc::new(budget),
            background: Background::default(),
            resting: Resting::default(),
        };
        sqlx::query("SELECT pg_advisory_lock_shared($1)")
            .bind(office.key)
            .execute_with(&mut *office.front().await)
            .await
            .map_err(|error| failed("this process could not be registered on the server", error))?;
        Ok(office)
    }

    /// The URL of the database `name` on this server.
    pub(crate) fn url_of(&self, name: &str) -> DatabaseUrl {
        self.server.with_database(name).for_postgres_drivers()
    }

    /// How to connect to the database `name`.
    pub(crate) fn options_of(&self, name: &str) -> PgConnectOptions {
        self.options.clone().database(name)
    }

    /// The mark in the comment of every database of ours.
    pub(crate) fn mark(&self) -> String {
        registry::mark(self.maintenance.get_database().unwrap_or_default())
    }

    /// The connection of this process to the maintenance database.
    pub(crate) async fn front(&self) -> MutexGuard<'_, AdminConnection> {
        self.budget.front().await
    }

    /// This process uses the template `name`, which stays as long as it does.
    pub(crate) async fn uses(&self, name: &str) -> Result<(), sqlx::Error> {
        sqlx::query("SELECT pg_advisory_lock_shared($1, hashtext($2))")
            .bind(USE)
            .bind(name)
            .execute_with(&mut *self.front().await)
            .await
            .map(drop)
    }

    fn at_exit(self: Arc<Self>) {
        self.background.close();
        let server = self.server.clone();
        last(&server, async move {
            recycle::give_all(&self).await;
            self.background.quiet().await;
            reaper::last(&self).await;
            // The server frees the connection before it notices that the process is gone.
            let mut front = self.front().await;
            let _ = sqlx::query("SELECT pg_advisory_unlock_all()")
                .execute_with(&mut *front)
                .await;
            if let Some(silence) = front.timed_out() {
                progress(&format!(
                    "{silence}; the next run drops what this process had"
                ));
            }
        });
    }
}

impl std::fmt::Debug for Office {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Office")
            .field("server", &self.server)
            .field("budget", &self.budget)
            .finish_non_exhaustive()
    }
}

/// Connects to the maintenance database, and finds out where it is.
async fn enter(
    server: &PgConnectOptions,
    application: &str,
) -> Result<Entered<AdminConnection, (PgConnectOptions, Facts)>, Error> {
    let (mut front, maintenance) = registry::open(server, application).await?;
    let facts = registry::facts(&mut front).await?;
    Ok(Entered {
        front,
        connections: facts.connections,
        facts: (maintenance, facts),
    })
}

/// Makes the sessions of tests, and no others, end their queries when the test is gone.
///
/// The setting of a session is its own affair; the server's is left as it is. Not every system can do it.
async fn listening(front: &mut AdminConnection, options: PgConnectOptions) -> PgConnectOptions {
    let (name, value) = LISTENING;
    match run(front, format!("SET {name} = '{value}'")).await {
        Ok(()) => options.options([(name, value)]),
        Err(_) => options,
    }
}

/// A number that no other process has.
fn new_key() -> i64 {
    i64::from_ne_bytes(random_bytes())
}
