//! The template of one schema: found, or built once by whoever comes first; and copies of it.
//!
//! Two slots of the sandbox never share a database: locks between keys would make tests wait for each
//! other, and what one of them commits by accident would be the other's. A database that nothing was
//! committed to is lent again; one that a test broke out of is dropped.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use sea_orm::SqlxMySqlConnector;
use sqlx::{
    AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _, MySqlConnection, Row as _,
    mysql::MySqlPoolOptions,
};

use super::{
    copy::{Script, quoted},
    database::MySqlDatabase,
    left::{Left, Lot, SlotDatabase},
    server::{MySqlServer, discard, enter, refused, wait_for_lock},
};
use crate::{
    backend::{Pool, mysql},
    error::{Error, Kind},
    sandbox::Guard,
    schema::{Schema, short_digest},
    url::DatabaseUrl,
};

/// Changes with what a template holds.
const FORMAT: &str = "1";

/// The databases of one engine.
#[derive(Debug)]
pub(crate) struct MySqlTemplate {
    server: MySqlServer,
    name: String,
    script: Arc<Script>,
    schema: Schema,
    built: bool,
    made: AtomicU64,
    left: Lot,
}

impl MySqlTemplate {
    /// Finds the template of `schema` on the server at `url`, or builds it.
    pub(crate) async fn obtain(
        schema: &Schema,
        url: &DatabaseUrl,
        wait: Duration,
    ) -> Result<Self, Error> {
        let server = MySqlServer::connect(url).await?;
        let mut connection = server.options.connect().await.map_err(mysql::cannot_open)?;
        let nature: String = connection
            .fetch_one(
                "SELECT concat_ws(' ', version(), @@character_set_server, @@collation_server, \
                 @@sql_mode, @@lower_case_table_names, current_user())",
            )
            .await
            .and_then(|row| row.try_get_unchecked(0))
            .map_err(|error| refused("say what it is", error))?;
        let digest = short_digest([
            FORMAT,
            &nature,
            &schema.lasting_digest(sea_orm::DbBackend::MySql).await,
        ]);
        let name = format!("green_light_t_{digest}");
        let mut built = false;
        if !is_template(&mut connection, &name).await? {
            wait_for_lock(&mut connection, &name).await?;
            if !is_template(&mut connection, &name).await? {
                build(&server, &mut connection, &name, schema, wait).await?;
                built = true;
            }
        }
        let script = Script::read(&mut connection, &name)
            .await
            .map_err(|error| refused("say what the template is made of", error))?;
        // Which frees the lock.
        let _ = connection.close().await;
        Ok(Self {
            server,
            name,
            script: Arc::new(script),
            schema: schema.clone(),
            built,
            made: AtomicU64::new(0),
            left: Lot::default(),
        })
    }

    /// Whether this process has built it.
    pub(crate) fn was_built(&self) -> bool {
        self.built
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn script(&self) -> &Arc<Script> {
        &self.script
    }

    /// A database for one test alone, as the template made it.
    pub(crate) async fn own(&self) -> Result<MySqlDatabase, Error> {
        let name = self.copy().await?;
        Ok(MySqlDatabase::new(&self.server, name))
    }

    /// Makes a copy of the template, and returns its name.
    async fn copy(&self) -> Result<String, Error> {
        let number = self.made.fetch_add(1, Ordering::Relaxed);
        let name = self.server.name(number);
        let cannot = |error| refused("copy the template", error);
        self.server.enter(&name).await.map_err(cannot)?;
        // A connection of its own: tests that run at the same time do not wait for each other here.
        let mut connection = self.server.options.connect().await.map_err(cannot)?;
        let made = self.script.make(&mut connection, &name, &self.name).await;
        let _ = connection.close().await;
        made.map_err(cannot)?;
        Ok(name)
    }

    /// Tables that do not take part in transactions.
    async fn check_engines(&self) -> Result<(), Error> {
        const FOUND: &str = "SELECT table_name, t.engine FROM information_schema.tables AS t \
            JOIN information_schema.engines AS e ON e.engine = t.engine \
            WHERE table_schema = ? AND coalesce(e.transactions, 'NO') <> 'YES' ORDER BY 1 LIMIT 1";
        let cannot = |error| refused("tell the engines of tables", error);
        let query = sqlx::query(FOUND).bind(&self.name);
        let found = self.server.admin.fetch_optional(query).await;
        let Some(row) = found.map_err(cannot)? else {
            return Ok(());
        };
        let table: String = row.try_get_unchecked(0).map_err(cannot)?;
        let engine: String = row.try_get_unchecked(1).map_err(cannot)?;
        Err(Error::new(
            Kind::Schema,
            format!("table `{table}` has engine {engine}, which cannot roll back"),
        )
        .at(self.schema.place())
        .help("write `ENGINE = InnoDB` for it, or isolate its tests with `Isolation::Database`"))
    }

    /// Opens a guarded pool on a database of its own.
    pub(crate) async fn open(
        &self,
        guard: &Arc<Guard>,
        wait: Duration,
    ) -> Result<(Pool, SlotDatabase), Error> {
        let kept = self
            .kept()
            .await
            .map_err(|error| refused("drop a database", error))?;
        let name = match kept {
            Some(name) => name,
            None => {
                self.check_engines().await?;
                self.copy().await?
            }
        };
        let options = self.server.options_of(&name);
        let url = DatabaseUrl::new(options.to_url_lossy());
        let database = SlotDatabase::new(name, url, guard, &self.left);
        let pool = mysql::open(&options, guard, wait).await?;
        Ok((pool, database))
    }

    /// The name of a database that was left clean.
    async fn kept(&self) -> Result<Option<String>, sqlx::Error> {
        while let Some(Left { name, is_dirty }) = self.left.pop() {
            self.server.clear(&name).await?;
            if !is_dirty {
                return Ok(Some(name));
            }
            self.server.drop_database(&name).await?;
        }
        Ok(None)
    }

    /// Where the databases are.
    pub(crate) fn url(&self) -> DatabaseUrl {
        self.server.url.clone()
    }
}

async fn is_template(connection: &mut MySqlConnection, name: &str) -> Result<bool, Error> {
    let query = sqlx::query("SELECT 1 FROM green_light.template WHERE name = ?").bind(name);
    let found = connection.fetch_optional(query).await;
    found
        .map(|row| row.is_some())
        .map_err(|error| refused("list its templates", error))
}

/// Builds the template, whose lock `connection` holds.
async fn build(
    server: &MySqlServer,
    connection: &mut MySqlConnection,
    name: &str,
    schema: &Schema,
    wait: Duration,
) -> Result<(), Error> {
    let cannot = |error| refused("make a database", error);
    let listed = sqlx::query("SELECT 1 FROM green_light.made WHERE name = ?").bind(name);
    if connection
        .fetch_optional(listed)
        .await
        .map_err(cannot)?
        .is_some()
    {
        // Its builder was killed.
        discard(connection, name).await.map_err(cannot)?;
    }
    enter(connection, name, name).await.map_err(cannot)?;
    let create = format!("CREATE DATABASE {}", quoted(name));
    connection
        .execute(AssertSqlSafe(create))
        .await
        .map_err(cannot)?;
    let pool = MySqlPoolOptions::new()
        .max_connections(3)
        .acquire_timeout(wait)
        .connect_with(server.options_of(name))
        .await
        .map_err(mysql::cannot_open)?;
    let built = schema
        .apply(&SqlxMySqlConnector::from_sqlx_mysql_pool(pool.clone()))
        .await;
    // Closing waits for connections that a seed may have leaked; ending them does not.
    drop(pool.close());
    server
        .clear(name)
        .await
        .map_err(|error| refused("end what the schema left running", error))?;
    built?;
    let done = format!(
        "START TRANSACTION; INSERT INTO green_light.template (name) VALUES ('{name}'); \
         DELETE FROM green_light.made WHERE name = '{name}'; COMMIT"
    );
    connection
        .execute(AssertSqlSafe(done))
        .await
        .map_err(cannot)?;
    Ok(())
}
