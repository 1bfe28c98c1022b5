//! This run on one server: its name, whose lock it holds, and the list of what runs have made.

use std::{
    collections::hash_map::RandomState,
    hash::{BuildHasher as _, Hasher as _},
    sync::Arc,
    time::{Duration, Instant},
};

use green_light_core::progress;
use sqlx::{
    AssertSqlSafe, ConnectOptions as _, Executor as _, MySqlConnection, MySqlPool, Row as _,
    mysql::{MySqlConnectOptions, MySqlPoolOptions},
};

use crate::{
    backend::mysql,
    error::{Error, Kind},
    url::DatabaseUrl,
};

/// Where the databases of all runs are listed.
const REGISTRY: &str = "CREATE DATABASE IF NOT EXISTS green_light; \
    CREATE TABLE IF NOT EXISTS green_light.made \
    (name VARCHAR(64) NOT NULL PRIMARY KEY, run VARCHAR(64) NOT NULL) ENGINE = InnoDB; \
    CREATE TABLE IF NOT EXISTS green_light.template \
    (name VARCHAR(64) NOT NULL PRIMARY KEY, made_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP) \
    ENGINE = InnoDB; \
    CREATE TABLE IF NOT EXISTS green_light.kept \
    (number BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, name VARCHAR(64) NOT NULL) ENGINE = InnoDB";

/// How long to wait for another process before it is told, and at all.
const PATIENCE: u64 = 5;
const LIMIT: Duration = Duration::from_secs(300);

/// One run on one server. Clones are the same run.
#[derive(Clone, Debug)]
pub(crate) struct MySqlServer {
    pub(super) admin: MySqlPool,
    pub(super) options: Arc<MySqlConnectOptions>,
    pub(super) url: DatabaseUrl,
    run: Arc<str>,
}

impl MySqlServer {
    pub(super) async fn connect(url: &DatabaseUrl) -> Result<Self, Error> {
        let options: MySqlConnectOptions = url.expose().parse().map_err(|error: sqlx::Error| {
            Error::new(Kind::Configuration, format!("`{url}` is no URL of MySQL"))
                .help("write `mysql://user:password@host:port/database`")
                .because(error)
        })?;
        let options = options.disable_statement_logging();
        let random = RandomState::new().build_hasher().finish();
        let run: Arc<str> = format!("{}_{random:016x}", std::process::id()).into();
        let server = Self {
            admin: admin(&options, &run).await?,
            options: Arc::new(options),
            url: url.clone(),
            run,
        };
        server
            .sweep()
            .await
            .map_err(|error| refused("look for what earlier runs left", error))?;
        Ok(server)
    }

    /// How to connect to the database `name`.
    pub(super) fn options_of(&self, name: &str) -> MySqlConnectOptions {
        MySqlConnectOptions::clone(&self.options).database(name)
    }

    /// The name of the `number`th database of this run.
    pub(super) fn name(&self, number: u64) -> String {
        format!("green_light_{}_{number}", self.run)
    }

    /// Enters a database in the list, before it is made.
    pub(super) async fn enter(&self, name: &str) -> Result<(), sqlx::Error> {
        enter(&mut *self.admin.acquire().await?, name, &self.run).await
    }

    pub(super) async fn drop_database(&self, name: &str) -> Result<(), sqlx::Error> {
        let mut admin = self.admin.acquire().await?;
        discard(&mut admin, name).await
    }

    /// Leaves a database for somebody to look at, and drops those that were kept before it but for
    /// `at_most` in all.
    pub(super) async fn keep(&self, name: &str, at_most: usize) -> Result<(), sqlx::Error> {
        let mut admin = self.admin.acquire().await?;
        let keep = format!(
            "START TRANSACTION; INSERT INTO green_light.kept (name) VALUES ('{name}'); \
             DELETE FROM green_light.made WHERE name = '{name}'; COMMIT"
        );
        admin.execute(AssertSqlSafe(keep)).await?;
        let kept = admin
            .fetch_all("SELECT name FROM green_light.kept ORDER BY number DESC")
            .await?;
        for row in kept.iter().skip(at_most) {
            let old: String = row.try_get(0)?;
            discard(&mut admin, &old).await?;
            let forget = format!("DELETE FROM green_light.kept WHERE name = '{old}'");
            admin.execute(AssertSqlSafe(forget)).await?;
        }
        Ok(())
    }

    /// Ends every connection to database `name`, and waits until they are gone.
    pub(super) async fn clear(&self, name: &str) -> Result<(), sqlx::Error> {
        const FOUND: &str = "SELECT id FROM information_schema.processlist WHERE db = ?";
        loop {
            let found = self.admin.fetch_all(sqlx::query(FOUND).bind(name)).await?;
            if found.is_empty() {
                return Ok(());
            }
            for row in found {
                let kill = format!("KILL {}", row.try_get_unchecked::<i64, _>(0)?);
                // It may have gone by itself meanwhile.
                let _ = self.admin.execute(AssertSqlSafe(kill)).await;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    /// Drops the databases of runs that have ended.
    async fn sweep(&self) -> Result<(), sqlx::Error> {
        let mut admin = self.admin.acquire().await?;
        admin.execute(REGISTRY).await?;
        let found = admin
            .fetch_all("SELECT name, run FROM green_light.made")
            .await?;
        for row in found {
            let (name, run): (String, String) = (row.try_get(0)?, row.try_get(1)?);
            if *run == *self.run || !lock(&mut admin, &run, 0).await? {
                continue;
            }
            // Another process may do the same at this moment.
            let _ = discard(&mut admin, &name).await;
            unlock(&mut admin, &run).await?;
        }
        Ok(())
    }
}

/// Enters `name` as a database of `run`.
pub(super) async fn enter(
    connection: &mut MySqlConnection,
    name: &str,
    run: &str,
) -> Result<(), sqlx::Error> {
    sqlx::query("INSERT INTO green_light.made VALUES (?, ?)")
        .bind(name)
        .bind(run)
        .execute(connection)
        .await
        .map(|_| ())
}

pub(super) async fn discard(
    connection: &mut MySqlConnection,
    name: &str,
) -> Result<(), sqlx::Error> {
    let drop = format!(
        "DROP DATABASE IF EXISTS `{name}`; DELETE FROM green_light.made WHERE name = '{name}'"
    );
    connection.execute(AssertSqlSafe(drop)).await.map(|_| ())
}

/// A connection without a database that holds the lock of `run`.
async fn admin(options: &MySqlConnectOptions, run: &Arc<str>) -> Result<MySqlPool, Error> {
    let run = Arc::clone(run);
    MySqlPoolOptions::new()
        .max_connections(1)
        .idle_timeout(None)
        .max_lifetime(None)
        .after_connect(move |connection, _| {
            let run = Arc::clone(&run);
            Box::pin(async move {
                // The default waits for a day, or a year, for a table that a test still reads.
                connection
                    .execute("SET SESSION lock_wait_timeout = 10")
                    .await?;
                lock(connection, &run, 0).await.map(|_| ())
            })
        })
        .connect_with(options.clone())
        .await
        .map_err(mysql::cannot_open)
}

/// Takes the lock of `run`, if nobody has it or gives it back within so many seconds.
async fn lock(
    connection: &mut MySqlConnection,
    run: &str,
    seconds: u64,
) -> Result<bool, sqlx::Error> {
    let row = connection
        .fetch_one(sqlx::query("SELECT GET_LOCK(?, ?)").bind(run).bind(seconds))
        .await?;
    Ok(row.try_get_unchecked::<Option<i64>, _>(0)? == Some(1))
}

/// Takes the lock of a template, however long another process builds it, within reason.
pub(super) async fn wait_for_lock(
    connection: &mut MySqlConnection,
    name: &str,
) -> Result<(), Error> {
    let started = Instant::now();
    while started.elapsed() < LIMIT {
        let locked = lock(connection, name, PATIENCE).await;
        if locked.map_err(|error| refused("lock a template", error))? {
            return Ok(());
        }
        progress(&format!(
            "{} s: another process builds the template of this schema",
            started.elapsed().as_secs()
        ));
    }
    Err(Error::new(
        Kind::Held,
        format!("another process has been building the template `{name}` for too long"),
    )
    .help("look for a test process that hangs in a migration or a seed, and end it"))
}

pub(super) async fn unlock(connection: &mut MySqlConnection, run: &str) -> Result<(), sqlx::Error> {
    connection
        .fetch_all(sqlx::query("SELECT RELEASE_LOCK(?)").bind(run))
        .await
        .map(|_| ())
}

pub(super) fn refused(action: &str, error: sqlx::Error) -> Error {
    Error::new(Kind::Connection, format!("MySQL refused to {action}"))
        .help("the user of `GREEN_LIGHT_MYSQL_URL` must be allowed to create databases")
        .because(error)
}
