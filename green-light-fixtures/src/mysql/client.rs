//! This process on one server: its name, its connection, and what it does in the background.
//!
//! Invariant: the lock of the name is held as long as the connection lives, so as long as the process
//! does.

use std::sync::Arc;

use green_light_core::progress;
use sqlx::{ConnectOptions as _, MySqlPool, mysql::MySqlConnectOptions};
use tokio::sync::{Mutex, MutexGuard};

use crate::error::{Error, Kind};
use crate::local_server::oldest_version::check_mysql;
use crate::local_server::origin::{Origin, not_a_url};
use crate::local_server::running::Server;
use crate::mysql::admin::{AdminConnection, run};
use crate::mysql::errors::failed;
use crate::mysql::{connection_locks, reaper, recycle, registry};
use crate::server::background::{Background, last, on_own_runtime};
use crate::server::connection_budget::{Budget, Entered};
use crate::server::names::{new_name, program};
use crate::server::parked::Resting;
use crate::url::DatabaseUrl;

/// This process on one server.
pub(crate) struct Office {
    server: DatabaseUrl,
    /// Whether the server is one of green-light's own.
    pub(crate) is_ours: bool,
    /// How to reach the server, with the database that the URL names.
    pub(crate) options: MySqlConnectOptions,
    /// What the contents of a new database depend on, besides the schema.
    pub(crate) nature: String,
    /// The name of this process on this server, whose lock it holds.
    pub(crate) process: String,
    pub(crate) budget: Arc<Budget<AdminConnection>>,
    pub(crate) background: Background,
    /// Databases of the sandbox that may go back into stock.
    pub(crate) resting: Resting<MySqlPool>,
}

impl Office {
    /// The office of this process at `server`, opened if it is not yet.
    pub(crate) async fn at(server: &Server) -> Result<Arc<Self>, Error> {
        static OPEN: Mutex<Vec<Arc<Office>>> = Mutex::const_new(Vec::new());
        let (server, is_ours) = (server.url().clone(), server.is_ours());
        on_own_runtime(async move {
            let mut open = OPEN.lock().await;
            if let Some(office) = open.iter().find(|office| office.server == server) {
                return Ok(Arc::clone(office));
            }
            let office = Arc::new(Self::open(server, is_ours).await?);
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

    async fn open(server: DatabaseUrl, is_ours: bool) -> Result<Self, Error> {
        let options: MySqlConnectOptions =
            (server.expose().parse()).map_err(|error| not_a_url(Origin::MYSQL, &server, error))?;
        let options = options.disable_statement_logging();
        let (budget, nature) = Budget::admit(&server, || enter(&options)).await?;
        let process = new_name("p");
        let announced = registry::announce(&mut *budget.front().await, &process, &program()).await;
        announced
            .map_err(|error| failed("this process could not be registered on the server", error))?;
        Ok(Self {
            server,
            is_ours,
            options,
            nature,
            process,
            budget: Arc::new(budget),
            background: Background::default(),
            resting: Resting::default(),
        })
    }

    /// The connection of this process that holds its locks.
    pub(crate) async fn front(&self) -> MutexGuard<'_, AdminConnection> {
        self.budget.front().await
    }

    /// The URL of the database `name` on this server.
    pub(crate) fn url_of(&self, name: &str) -> DatabaseUrl {
        self.server.with_database(name).for_mysql_drivers()
    }

    /// How to connect to the database `name`.
    pub(crate) fn options_of(&self, name: &str) -> MySqlConnectOptions {
        self.options.clone().database(name)
    }

    fn at_exit(self: Arc<Self>) {
        self.background.close();
        let server = self.server.clone();
        last(&server, async move {
            recycle::give_all(&self).await;
            self.background.quiet().await;
            reaper::last(&self).await;
            // The server frees the connection before it notices that the process is gone. Older ones
            // do not know the function.
            let mut front = self.front().await;
            let _ = run(&mut front, "DO RELEASE_ALL_LOCKS()".to_owned()).await;
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

/// Connects to the server, and finds out what it is.
async fn enter(options: &MySqlConnectOptions) -> Result<Entered<AdminConnection, String>, Error> {
    let cannot = |error| failed("MySQL cannot be reached", error);
    let mut front = AdminConnection::connect_when_free(options)
        .await
        .map_err(cannot)?;
    let version = registry::version(&mut front).await.map_err(cannot)?;
    check_mysql(&version)?;
    let cannot = |error| failed("the database `green_light` cannot be prepared", error);
    registry::make_tables(&mut front).await.map_err(cannot)?;
    let cannot = |error| {
        failed(
            "the server could not be asked for its version and settings",
            error,
        )
    };
    Ok(Entered {
        connections: connection_locks::limit(&mut front).await.map_err(cannot)?,
        facts: registry::nature(&mut front).await.map_err(cannot)?,
        front,
    })
}
