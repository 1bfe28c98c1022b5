//! The template of one schema: found, or built once by whoever comes first; and databases made from it.

use std::{sync::Arc, time::Duration};

use sqlx::{AssertSqlSafe, MySqlConnection, Row as _, mysql::MySqlPoolOptions};
use tokio::sync::OnceCell;

use crate::backoff::Backoff;
use crate::database_pool::DatabasePool;
use crate::digest::short_digest;
use crate::env;
use crate::error::{Error, Kind};
use crate::local_server::running::Server;
use crate::mysql::admin::{AdminConnection, lock, run};
use crate::mysql::client::Office;
use crate::mysql::copy::{Script, quoted};
use crate::mysql::database_lease::Claim;
use crate::mysql::dialect::MySqlDialect;
use crate::mysql::errors::failed;
use crate::mysql::ready_pool::For;
use crate::mysql::registry::FORMAT;
use crate::mysql::routines::RoutineEffects;
use crate::mysql::{ready_pool, registry};
use crate::schema::build_id::content_id;
use crate::schema::definition::Schema;
use crate::schema::new_database::NewDatabase;
use crate::server::admin_connection::when_free;
use crate::server::connection_holders::Holding;
use crate::server::names::new_name;
use crate::server::response_timeout::while_server_alive;
use crate::url::DatabaseUrl;

/// A template on a server, and how databases are made from it.
#[derive(Clone, Debug)]
pub(crate) struct MySqlTemplate {
    office: Arc<Office>,
    pattern: Arc<Pattern>,
    schema: Schema,
    /// What its programs leave in a session; set once it is known that every table takes part in
    /// transactions, too.
    fit: Arc<OnceCell<RoutineEffects>>,
    /// Whether this process has built it.
    pub(crate) was_built: bool,
}

/// What is known of a template.
#[derive(Debug)]
pub(crate) struct Pattern {
    pub(crate) digest: String,
    pub(crate) name: String,
    script: OnceCell<Arc<Script>>,
}

impl Pattern {
    /// What the template is made of, read when it is first wanted.
    pub(crate) async fn script(
        &self,
        connection: &mut AdminConnection,
    ) -> Result<&Arc<Script>, sqlx::Error> {
        let read = async || Script::read(connection, &self.name).await.map(Arc::new);
        self.script.get_or_try_init(read).await
    }
}

impl MySqlTemplate {
    /// Finds the template of `schema` on `server`, or builds it.
    ///
    /// # Errors
    ///
    /// When the server cannot be reached, or the schema cannot be applied.
    pub(crate) async fn obtain(
        server: &Server,
        schema: &Schema,
        wait: Duration,
    ) -> Result<Self, Error> {
        let office = Office::at(server).await?;
        let content = schema.persistent_digest(&MySqlDialect, content_id).await;
        let digest = short_digest([FORMAT, &office.nature, &content]);
        let anew = env::forced_rebuild()?;
        let cannot = |error| failed("the templates of this server cannot be read", error);
        let found = find(&mut *office.front().await, &office.process, &digest, anew).await;
        let (name, built) = match found.map_err(cannot)? {
            Some(name) => (name, false),
            None => {
                let building = Building {
                    office: &office,
                    schema,
                    digest: &digest,
                    anew,
                    wait,
                };
                building.run().await?
            }
        };
        let pattern = Pattern {
            digest,
            name,
            script: OnceCell::new(),
        };
        Ok(Self {
            office,
            pattern: Arc::new(pattern),
            schema: schema.clone(),
            fit: Arc::default(),
            was_built: built,
        })
    }

    pub(crate) fn name(&self) -> &str {
        &self.pattern.name
    }

    /// What it is made of.
    pub(crate) async fn script(&self) -> Result<Arc<Script>, Error> {
        let cannot = |error| {
            failed(
                "the server does not say what the template is made of",
                error,
            )
        };
        let mut connection = AdminConnection::connect_when_free(&self.office.options)
            .await
            .map_err(cannot)?;
        let script = self.pattern.script(&mut connection).await.cloned();
        connection.close().await;
        script.map_err(cannot)
    }

    /// A database for `test` alone, as the template made it, with the right to connect to it.
    ///
    /// # Errors
    ///
    /// When none can be made, or there is no connection for it within the time of a long test.
    pub(crate) async fn claim(&self, test: &str) -> Result<Claim, Error> {
        ready_pool::claim(&self.office, &self.pattern, For::Test(test.to_owned())).await
    }

    /// A database for a slot of the sandbox that `test` is the first to have, with the right to one
    /// connection, and what its programs do to that.
    ///
    /// # Errors
    ///
    /// As [`claim`](Self::claim), and when a table cannot roll back.
    pub(crate) async fn claim_for_slot(
        &self,
        test: &str,
    ) -> Result<(Claim, RoutineEffects), Error> {
        let check = async || {
            self.check_engines().await?;
            let programs = RoutineEffects::of(&mut *self.office.front().await, self.name()).await;
            programs.map_err(|error| failed("the server does not tell its triggers", error))
        };
        let programs = *self.fit.get_or_try_init(check).await?;
        let claim =
            ready_pool::claim(&self.office, &self.pattern, For::Slot(test.to_owned())).await?;
        Ok((claim, programs))
    }

    /// Tables that do not take part in transactions.
    async fn check_engines(&self) -> Result<(), Error> {
        // Without parameters: a test may be over before the answer is there.
        let found = format!(
            "SELECT table_name, t.engine FROM information_schema.tables AS t \
             JOIN information_schema.engines AS e ON e.engine = t.engine \
             WHERE table_schema = '{}' AND coalesce(e.transactions, 'NO') <> 'YES' ORDER BY 1 LIMIT 1",
            self.name()
        );
        let cannot = |error| failed("the storage engines of the tables could not be read", error);
        let mut front = self.office.front().await;
        let found = front.fetch_optional(AssertSqlSafe(found)).await;
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

    /// Where the template is.
    pub(crate) fn server_url(&self) -> DatabaseUrl {
        self.office.url_of(self.name())
    }
}

/// The name of the template `digest`, if there is one that nobody has dropped by hand, and if it was
/// built in the run `anew` where there is such a run. That `process` uses it is noted.
async fn find(
    connection: &mut AdminConnection,
    process: &str,
    digest: &str,
    anew: Option<&str>,
) -> Result<Option<String>, sqlx::Error> {
    if let Some(of_run) = anew {
        let built = format!(
            "SELECT run FROM green_light.rebuilds WHERE digest = '{digest}' AND run = '{of_run}'"
        );
        if registry::names(connection, built).await?.is_empty() {
            return Ok(None);
        }
    }
    let find = format!(
        "INSERT IGNORE INTO green_light.template_uses VALUES ('{digest}', '{process}'); \
         UPDATE green_light.templates SET used = now(6) WHERE digest = '{digest}'; \
         SELECT name FROM green_light.templates t WHERE digest = '{digest}' AND EXISTS \
         (SELECT 1 FROM information_schema.schemata s WHERE s.schema_name = t.name)"
    );
    Ok(registry::names(connection, find).await?.pop())
}

/// The statements that take the template `digest` off the list, with all that was made from it ahead.
fn make_room(digest: &str, of_run: &str) -> String {
    format!(
        "INSERT INTO green_light.test_databases (name, digest, state) \
         SELECT name, digest, 'done' FROM green_light.templates WHERE digest = '{digest}'; \
         DELETE FROM green_light.templates WHERE digest = '{digest}'; \
         UPDATE green_light.test_databases SET state = 'done' \
         WHERE digest = '{digest}' AND state IN ('free', 'used'); \
         UPDATE green_light.test_databases SET digest = '' \
         WHERE digest = '{digest}' AND state = 'taken'; \
         REPLACE INTO green_light.rebuilds VALUES ('{digest}', '{of_run}'); "
    )
}

struct Building<'a> {
    office: &'a Arc<Office>,
    schema: &'a Schema,
    digest: &'a str,
    /// The run in which it is built whether it is there or not.
    anew: Option<&'static str>,
    wait: Duration,
}

impl Building<'_> {
    /// Waits for whoever builds it, or builds it. Returns its name, and whether it was built here.
    async fn run(&self) -> Result<(String, bool), Error> {
        let budget = &self.office.budget;
        // For the connection that holds the lock, and for those of the schema.
        let _permits = budget
            .permits_if(!Holding::is_any(), budget.per_test())
            .await?;
        let cannot = |error| failed("the template cannot be built", error);
        let mut connection = AdminConnection::connect_when_free(&self.office.options)
            .await
            .map_err(cannot)?;
        let result = match self.turn(&mut connection).await {
            Ok(Some(name)) => Ok((name, false)),
            Ok(None) => self.build(&mut connection).await.map(|name| (name, true)),
            Err(error) => Err(error),
        };
        // Which frees the locks.
        connection.close().await;
        result
    }

    /// Waits for the right to build; returns the template if somebody else has built it meanwhile.
    async fn turn(&self, connection: &mut AdminConnection) -> Result<Option<String>, Error> {
        let cannot = |error| failed("the template cannot be looked for", error);
        let mut backoff = Backoff::new();
        loop {
            let name = format!("green_light.template.{}", self.digest);
            let locked = lock(connection, &name).await.map_err(cannot)?;
            let found = find(connection, &self.office.process, self.digest, self.anew).await;
            let found = found.map_err(cannot)?;
            if locked || found.is_some() {
                return Ok(found);
            }
            if backoff.expired() {
                return Err(Error::new(
                    Kind::Held,
                    "another process has been building the template of this schema for too long",
                )
                .help("look for a test process that hangs in a migration or a seed, and end it"));
            }
            backoff
                .pause(|| "another process builds the template of this schema".to_owned())
                .await;
        }
    }

    async fn build(&self, connection: &mut AdminConnection) -> Result<String, Error> {
        let cannot = |error| failed("the template cannot be built", error);
        let (name, digest) = (new_name("t"), self.digest);
        registry::enter(connection, &name, digest, "making", &self.office.process)
            .await
            .map_err(cannot)?;
        let filled = self.fill(connection, &name).await;
        // A seed may have left a connection behind, and a template must have none.
        registry::clear(connection, &name).await.map_err(cannot)?;
        if filled.is_err() {
            let _ = registry::becomes(connection, &name, "done").await;
        }
        filled?;
        let room = self.anew.map(|of_run| make_room(digest, of_run));
        let room = room.unwrap_or_default();
        let list = format!(
            "START TRANSACTION; {room}\
             REPLACE INTO green_light.templates (digest, name) VALUES ('{digest}', '{name}'); \
             DELETE FROM green_light.test_databases WHERE name = '{name}'; COMMIT"
        );
        run(connection, list).await.map_err(cannot)?;
        Ok(name)
    }

    /// Makes the database `name`, with the schema in it.
    async fn fill(&self, connection: &mut AdminConnection, name: &str) -> Result<(), Error> {
        let cannot = |error| failed("the template cannot be built", error);
        run(connection, format!("CREATE DATABASE {}", quoted(name)))
            .await
            .map_err(cannot)?;
        let pool = MySqlPoolOptions::new()
            .max_connections(self.office.budget.per_test().saturating_sub(1).max(1))
            .acquire_timeout(self.wait);
        let options = self.office.options_of(name);
        let pool =
            when_free::<MySqlConnection, _, _>(|| pool.clone().connect_with(options.clone()))
                .await
                .map_err(cannot)?;
        let db = DatabasePool::new(pool.clone());
        let db = NewDatabase::new(db, self.office.url_of(name));
        let what = format!("the schema made at {}", self.schema.place());
        let applying = self.schema.apply(&db);
        let applied = while_server_alive::<MySqlConnection, _>(&options, &what, applying).await;
        // Closing waits for connections that a seed may have leaked; ending them does not.
        drop(pool.close());
        applied.map_err(cannot)?
    }
}
