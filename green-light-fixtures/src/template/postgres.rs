//! The databases of transaction isolation on PostgreSQL: one for the schema, one for each slot.
//!
//! A slot has a database of its own, a clone of the one the schema was applied to, so that tests that
//! run at the same time do not wait for each other's locks. A database that nothing was committed to
//! is lent again; one that a test broke out of is dropped.
//!
//! Each database carries a comment that names its run, and each run holds an advisory lock of that
//! name in the maintenance database. What a dead run has left is known by its free lock.

use std::{
    collections::hash_map::RandomState,
    hash::{BuildHasher as _, Hasher as _},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use sea_orm::SqlxPostgresConnector;
use sqlx::{
    AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _, PgConnection, PgPool,
    Row as _,
    postgres::{PgConnectOptions, PgPoolOptions},
};

use crate::{
    backend::{Pool, postgres},
    error::{Error, Kind},
    sandbox::Guard,
    schema::Schema,
    url::DatabaseUrl,
};

/// The comment of our databases, before the name of their run.
const MARK: &str = "green-light run ";
/// Where all runs on one server meet: advisory locks are per database.
const MAINTENANCE: &str = "postgres";

/// The databases of one engine.
#[derive(Debug)]
pub(crate) struct PostgresTemplate {
    admin: PgPool,
    options: PgConnectOptions,
    url: DatabaseUrl,
    run: String,
    /// Databases that a slot has left, with whether they must go.
    left: Arc<Mutex<Vec<Left>>>,
}

#[derive(Debug)]
struct Left {
    name: String,
    is_dirty: bool,
}

/// The database of one slot, which goes back when the slot does.
#[derive(Debug)]
pub(crate) struct SlotDatabase {
    name: String,
    url: DatabaseUrl,
    guard: Arc<Guard>,
    left: Arc<Mutex<Vec<Left>>>,
}

impl SlotDatabase {
    pub(crate) fn url(&self) -> &DatabaseUrl {
        &self.url
    }
}

impl Drop for SlotDatabase {
    fn drop(&mut self) {
        let left = Left {
            name: std::mem::take(&mut self.name),
            is_dirty: self.guard.is_escaped(),
        };
        self.left
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(left);
    }
}

impl PostgresTemplate {
    /// Applies the schema to a new database of the server at `url`.
    pub(crate) async fn build(
        schema: &Schema,
        url: &DatabaseUrl,
        wait: Duration,
    ) -> Result<Self, Error> {
        let options: PgConnectOptions = url.expose().parse().map_err(|error: sqlx::Error| {
            Error::new(
                Kind::Configuration,
                format!("`{url}` is no URL of PostgreSQL"),
            )
            .help("write `postgres://user:password@host:port/database`")
            .because(error)
        })?;
        let options = options.disable_statement_logging();
        let run = format!(
            "{}_{}_{:08x}",
            schema.digest(),
            std::process::id(),
            RandomState::new().build_hasher().finish() as u32
        );
        let template = Self {
            admin: admin(&options, &run).await?,
            options,
            url: url.clone(),
            run,
            left: Arc::default(),
        };
        template
            .sweep()
            .await
            .map_err(|error| refused("look for what earlier runs left", error))?;
        let name = template.name(0);
        let create = format!("CREATE DATABASE {name}");
        template
            .create(&name, &create)
            .await
            .map_err(|error| refused("make a database", error))?;
        template.fill(schema, &name, wait).await?;
        Ok(template)
    }

    fn name(&self, number: u64) -> String {
        format!("green_light_{}_{number}", self.run)
    }

    async fn create(&self, name: &str, create: &str) -> Result<(), sqlx::Error> {
        let mut admin = self.admin.acquire().await?;
        admin.execute(AssertSqlSafe(create)).await?;
        let mark = format!("COMMENT ON DATABASE {name} IS '{MARK}{}'", self.run);
        admin.execute(AssertSqlSafe(mark)).await?;
        Ok(())
    }

    /// Applies the schema and adds what the sandbox needs.
    async fn fill(&self, schema: &Schema, name: &str, wait: Duration) -> Result<(), Error> {
        let pool = PgPoolOptions::new()
            .max_connections(1)
            .idle_timeout(None)
            .max_lifetime(None)
            .acquire_timeout(wait)
            .connect_with(self.options.clone().database(name))
            .await
            .map_err(postgres::cannot_open)?;
        let built = schema
            .apply(&SqlxPostgresConnector::from_sqlx_postgres_pool(
                pool.clone(),
            ))
            .await;
        // A clone is refused while the original is in use, so a seed's leaked connection ends here.
        drop(pool.close());
        built?;
        let mut connection = self
            .options
            .clone()
            .database(name)
            .connect()
            .await
            .map_err(postgres::cannot_open)?;
        let guarded = connection.execute(postgres::GUARD).await;
        let closed = connection.close().await;
        guarded.map_err(|error| refused("add the schema `green_light`", error))?;
        closed.map_err(postgres::cannot_open)?;
        self.clear(name)
            .await
            .map_err(|error| refused("end what the schema left running", error))
    }

    /// Opens a guarded pool on a database of its own.
    pub(crate) async fn open(
        &self,
        number: u64,
        guard: &Arc<Guard>,
        wait: Duration,
    ) -> Result<(Pool, SlotDatabase), Error> {
        let name = self
            .obtain(number)
            .await
            .map_err(|error| refused("make a database for a test", error))?;
        let options = self.options.clone().database(&name);
        let database = SlotDatabase {
            name,
            url: DatabaseUrl::new(options.to_url_lossy()),
            guard: Arc::clone(guard),
            left: Arc::clone(&self.left),
        };
        let pool = postgres::open(&options, guard, wait).await?;
        Ok((pool, database))
    }

    /// The name of a database as the schema made it: one that was left clean, or a new clone.
    async fn obtain(&self, number: u64) -> Result<String, sqlx::Error> {
        loop {
            let left = self
                .left
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .pop();
            let Some(left) = left else { break };
            self.clear(&left.name).await?;
            if !left.is_dirty {
                return Ok(left.name);
            }
            let drop = format!("DROP DATABASE IF EXISTS {}", left.name);
            self.admin.execute(AssertSqlSafe(drop)).await?;
        }
        let name = self.name(number);
        let create = format!("CREATE DATABASE {name} TEMPLATE {}", self.name(0));
        self.create(&name, &create).await?;
        Ok(name)
    }

    /// Ends every connection to database `name`, and waits until they are gone.
    async fn clear(&self, name: &str) -> Result<(), sqlx::Error> {
        const END: &str = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
                           WHERE datname = $1 AND backend_type = 'client backend'";
        loop {
            let ended: i64 = self
                .admin
                .fetch_one(sqlx::query(END).bind(name))
                .await?
                .try_get(0)?;
            if ended == 0 {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    /// Drops the databases of runs that have ended.
    async fn sweep(&self) -> Result<(), sqlx::Error> {
        const FOUND: &str = "SELECT datname, substr(comment, length($1) + 1) FROM \
            (SELECT datname, shobj_description(oid, 'pg_database') AS comment FROM pg_database \
             WHERE starts_with(datname, 'green_light_')) AS found \
            WHERE starts_with(comment, $1)";
        let mut admin = self.admin.acquire().await?;
        let found = admin.fetch_all(sqlx::query(FOUND).bind(MARK)).await?;
        for row in found {
            let (name, run): (String, String) = (row.try_get(0)?, row.try_get(1)?);
            if run == self.run || !lock(&mut admin, &run).await? {
                continue;
            }
            let drop = format!("DROP DATABASE IF EXISTS \"{name}\" WITH (FORCE)");
            // Another process may do the same at this moment.
            let _ = admin.execute(AssertSqlSafe(drop)).await;
            admin
                .execute(
                    sqlx::query("SELECT pg_advisory_unlock(hashtextextended($1, 0))").bind(run),
                )
                .await?;
        }
        Ok(())
    }

    /// Where the databases are.
    pub(crate) fn url(&self) -> DatabaseUrl {
        self.url.clone()
    }
}

/// A connection to the maintenance database that holds the lock of `run`.
async fn admin(options: &PgConnectOptions, run: &str) -> Result<PgPool, Error> {
    let run = Arc::<str>::from(run);
    PgPoolOptions::new()
        .max_connections(1)
        .idle_timeout(None)
        .max_lifetime(None)
        .after_connect(move |connection, _| {
            let run = Arc::clone(&run);
            Box::pin(async move { lock(connection, &run).await.map(drop) })
        })
        .connect_with(options.clone().database(MAINTENANCE))
        .await
        .map_err(postgres::cannot_open)
}

/// Takes the lock of `run`, if nobody has it.
async fn lock(connection: &mut PgConnection, run: &str) -> Result<bool, sqlx::Error> {
    let sql = "SELECT pg_try_advisory_lock(hashtextextended($1, 0))";
    connection
        .fetch_one(sqlx::query(sql).bind(run))
        .await?
        .try_get(0)
}

fn refused(action: &str, error: sqlx::Error) -> Error {
    Error::new(Kind::Connection, format!("PostgreSQL refused to {action}"))
        .help("the user of `GREEN_LIGHT_POSTGRES_URL` must be allowed to create databases")
        .because(error)
}
