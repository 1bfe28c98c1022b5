//! The databases of transaction isolation on MySQL: one for each slot.
//!
//! MySQL clones no database, so the schema is applied to each. Two slots never share one: locks
//! between keys would make tests wait for each other, and what one of them commits by accident would
//! be the other's. A database that nothing was committed to is lent again; one that a test broke out
//! of is dropped.
//!
//! The database `green_light` of the server lists those of every run, and each run holds the server's
//! lock of its name. What a dead run has left is known by its free lock.

use std::{
    collections::hash_map::RandomState,
    hash::{BuildHasher as _, Hasher as _},
    sync::Arc,
    time::Duration,
};

use sea_orm::SqlxMySqlConnector;
use sqlx::{
    AssertSqlSafe, ConnectOptions as _, Executor as _, MySqlConnection, MySqlPool, Row as _,
    mysql::{MySqlConnectOptions, MySqlPoolOptions},
};

use super::left::{Left, Lot, SlotDatabase};
use crate::{
    backend::{Pool, mysql},
    error::{Error, Kind},
    sandbox::Guard,
    schema::Schema,
    url::DatabaseUrl,
};

/// Where the databases of all runs are listed.
const REGISTRY: &str = "CREATE DATABASE IF NOT EXISTS green_light; \
    CREATE TABLE IF NOT EXISTS green_light.made \
    (name VARCHAR(64) NOT NULL PRIMARY KEY, run VARCHAR(64) NOT NULL) ENGINE = InnoDB";

/// The databases of one engine.
#[derive(Debug)]
pub(crate) struct MySqlTemplate {
    admin: MySqlPool,
    options: MySqlConnectOptions,
    url: DatabaseUrl,
    run: String,
    schema: Schema,
    left: Lot,
}

impl MySqlTemplate {
    /// Applies the schema to a first database of the server at `url`.
    pub(crate) async fn build(
        schema: &Schema,
        url: &DatabaseUrl,
        wait: Duration,
    ) -> Result<Self, Error> {
        let options: MySqlConnectOptions = url.expose().parse().map_err(|error: sqlx::Error| {
            Error::new(Kind::Configuration, format!("`{url}` is no URL of MySQL"))
                .help("write `mysql://user:password@host:port/database`")
                .because(error)
        })?;
        let options = options.disable_statement_logging();
        let run = format!(
            "{}_{}_{:08x}",
            schema.digest(),
            std::process::id(),
            RandomState::new().build_hasher().finish() >> 32
        );
        let template = Self {
            admin: admin(&options, &run).await?,
            options,
            url: url.clone(),
            run,
            schema: schema.clone(),
            left: Lot::default(),
        };
        template
            .sweep()
            .await
            .map_err(|error| refused("look for what earlier runs left", error))?;
        let first = template.make(0, wait).await?;
        template.left.push(Left {
            name: first,
            is_dirty: false,
        });
        Ok(template)
    }

    /// Makes a database and applies the schema to it.
    async fn make(&self, number: u64, wait: Duration) -> Result<String, Error> {
        let name = format!("green_light_{}_{number}", self.run);
        let create = format!(
            "INSERT INTO green_light.made VALUES ('{name}', '{}'); CREATE DATABASE {name}",
            self.run
        );
        self.admin
            .execute(AssertSqlSafe(create))
            .await
            .map_err(|error| refused("make a database", error))?;
        let pool = MySqlPoolOptions::new()
            .max_connections(1)
            .idle_timeout(None)
            .max_lifetime(None)
            .acquire_timeout(wait)
            .connect_with(self.options.clone().database(&name))
            .await
            .map_err(mysql::cannot_open)?;
        let built = self
            .schema
            .apply(&SqlxMySqlConnector::from_sqlx_mysql_pool(pool.clone()))
            .await;
        // Closing waits for connections that a seed may have leaked; dropping does not.
        drop(pool.close());
        built?;
        let engines = self
            .engines(&name)
            .await
            .map_err(|error| refused("tell the engines of tables", error))?;
        if let Some((table, engine)) = engines.first() {
            return Err(Error::new(
                Kind::Schema,
                format!("table `{table}` has engine {engine}, which cannot roll back"),
            )
            .at(self.schema.place())
            .help(
                "write `ENGINE = InnoDB` for it, or isolate its tests with `Isolation::Database`",
            ));
        }
        Ok(name)
    }

    /// Tables of database `name` that do not take part in transactions.
    async fn engines(&self, name: &str) -> Result<Vec<(String, String)>, sqlx::Error> {
        const FOUND: &str = "SELECT table_name, t.engine FROM information_schema.tables AS t \
            JOIN information_schema.engines AS e ON e.engine = t.engine \
            WHERE table_schema = ? AND coalesce(e.transactions, 'NO') <> 'YES' ORDER BY 1";
        let rows = self.admin.fetch_all(sqlx::query(FOUND).bind(name)).await?;
        rows.iter()
            .map(|row| Ok((row.try_get_unchecked(0)?, row.try_get_unchecked(1)?)))
            .collect()
    }

    /// Opens a guarded pool on a database of its own.
    pub(crate) async fn open(
        &self,
        number: u64,
        guard: &Arc<Guard>,
        wait: Duration,
    ) -> Result<(Pool, SlotDatabase), Error> {
        let kept = self
            .kept()
            .await
            .map_err(|error| refused("drop a database", error))?;
        let name = match kept {
            Some(name) => name,
            None => self.make(number, wait).await?,
        };
        let options = self.options.clone().database(&name);
        let url = DatabaseUrl::new(options.to_url_lossy());
        let database = SlotDatabase::new(name, url, guard, &self.left);
        let pool = mysql::open(&options, guard, wait).await?;
        Ok((pool, database))
    }

    /// The name of a database that was left clean.
    async fn kept(&self) -> Result<Option<String>, sqlx::Error> {
        while let Some(left) = self.left.pop() {
            self.clear(&left.name).await?;
            if !left.is_dirty {
                return Ok(Some(left.name));
            }
            self.drop_database(&left.name).await?;
        }
        Ok(None)
    }

    async fn drop_database(&self, name: &str) -> Result<(), sqlx::Error> {
        let drop = format!(
            "DROP DATABASE IF EXISTS `{name}`; DELETE FROM green_light.made WHERE name = '{name}'"
        );
        self.admin.execute(AssertSqlSafe(drop)).await.map(|_| ())
    }

    /// Ends every connection to database `name`, and waits until they are gone.
    async fn clear(&self, name: &str) -> Result<(), sqlx::Error> {
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
            if run == self.run || !lock(&mut admin, &run).await? {
                continue;
            }
            let drop = format!(
                "DROP DATABASE IF EXISTS `{name}`; DELETE FROM green_light.made WHERE name = '{name}'"
            );
            // Another process may do the same at this moment.
            let _ = admin.execute(AssertSqlSafe(drop)).await;
            admin
                .fetch_all(sqlx::query("SELECT RELEASE_LOCK(?)").bind(run))
                .await?;
        }
        Ok(())
    }

    /// Where the databases are.
    pub(crate) fn url(&self) -> DatabaseUrl {
        self.url.clone()
    }
}

/// A connection without a database that holds the lock of `run`.
async fn admin(options: &MySqlConnectOptions, run: &str) -> Result<MySqlPool, Error> {
    let run = Arc::<str>::from(run);
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
                lock(connection, &run).await.map(|_| ())
            })
        })
        .connect_with(options.clone())
        .await
        .map_err(mysql::cannot_open)
}

/// Takes the lock of `run`, if nobody has it.
async fn lock(connection: &mut MySqlConnection, run: &str) -> Result<bool, sqlx::Error> {
    let row = connection
        .fetch_one(sqlx::query("SELECT GET_LOCK(?, 0)").bind(run))
        .await?;
    Ok(row.try_get_unchecked::<Option<i64>, _>(0)? == Some(1))
}

fn refused(action: &str, error: sqlx::Error) -> Error {
    Error::new(Kind::Connection, format!("MySQL refused to {action}"))
        .help("the user of `GREEN_LIGHT_MYSQL_URL` must be allowed to create databases")
        .because(error)
}
