//! The template of one schema: found, or built once by whoever comes first.
//!
//! Steps of a build, each of which may be the last one a killed process does: entered in the
//! registry, made under a name of its own, marked, filled, closed to connections, renamed. Only the
//! last makes it the template, and up to then it is a leftover like any other.

use std::{sync::Arc, time::Duration, time::Instant};

use sqlx::{AssertSqlSafe, PgConnection, Row as _, postgres::PgPoolOptions};

use tokio::sync::OnceCell;

use crate::backoff::Backoff;
use crate::database_pool::DatabasePool;
use crate::digest::short_digest;
use crate::error::{Error, Kind};
use crate::postgres::admin::{AdminConnection, literal, quoted, run};
use crate::postgres::client::Office;
use crate::postgres::database_lease::Claim;
use crate::postgres::database_properties;
use crate::postgres::dialect::PostgresDialect;
use crate::postgres::errors::failed;
use crate::postgres::guard::GUARD;
use crate::postgres::ready_pool::{Stock, Strategy};
use crate::postgres::rebuild::Anew;
use crate::postgres::registry::{FORMAT, USE};
use crate::schema::build_id::content_id;
use crate::schema::definition::Schema;
use crate::schema::new_database::NewDatabase;
use crate::server::connection_holders::Holding;
use crate::server::names::new_name;
use crate::server::query_ext::QueryExt as _;
use crate::server::response_timeout::while_server_alive;
use crate::url::DatabaseUrl;

/// A template on a server, and how databases are made from it.
#[derive(Clone, Debug)]
pub(crate) struct PostgresTemplate {
    office: Arc<Office>,
    pattern: Arc<Pattern>,
    /// The same with what the sandbox needs, made when the first slot is.
    guarded: Arc<OnceCell<Arc<Pattern>>>,
    /// Whether this process has built it.
    pub(crate) was_built: bool,
}

/// What is known of a template.
#[derive(Debug)]
pub(crate) struct Pattern {
    pub(crate) name: String,
    pub(crate) strategy: Strategy,
    pub(crate) likeness: Vec<String>,
    pub(crate) content: Content,
}

/// What a template holds.
#[derive(Clone, Debug)]
pub(crate) enum Content {
    Schema(Schema),
    /// What another template holds, and [`GUARD`].
    Guarded(Arc<Pattern>),
}

impl PostgresTemplate {
    /// Finds the template of `schema` on `server`, or builds it.
    ///
    /// # Errors
    ///
    /// When the server cannot be reached, or the schema cannot be applied.
    pub(crate) async fn obtain(
        server: &DatabaseUrl,
        schema: &Schema,
        wait: Duration,
    ) -> Result<Self, Error> {
        let office = Office::at(server).await?;
        let content = Content::Schema(schema.clone());
        let (pattern, built) = content.find_or_build(&office, wait).await?;
        Ok(Self {
            office,
            pattern,
            guarded: Arc::default(),
            was_built: built,
        })
    }

    /// A database for `test` alone, as the template made it, with the right to connect to it.
    ///
    /// # Errors
    ///
    /// When none can be made, or there is no connection for it within the time of a long test.
    pub(crate) async fn claim(&self, test: &str) -> Result<Claim, Error> {
        Stock::claim(&self.office, &self.pattern, test).await
    }

    /// A database for a slot of the sandbox that `test` is the first to have, with the right to one connection.
    ///
    /// # Errors
    ///
    /// As [`claim`](Self::claim).
    pub(crate) async fn claim_for_slot(&self, test: &str, wait: Duration) -> Result<Claim, Error> {
        let pattern = self
            .guarded
            .get_or_try_init(async || {
                let content = Content::Guarded(Arc::clone(&self.pattern));
                let (pattern, _) = content.find_or_build(&self.office, wait).await?;
                Ok(pattern)
            })
            .await?;
        Stock::claim(&self.office, pattern, test).await
    }

    /// Where the server is.
    pub(crate) fn server_url(&self) -> DatabaseUrl {
        self.office.url_of(&self.pattern.name)
    }
}

impl Content {
    async fn digest(&self) -> String {
        match self {
            Self::Schema(schema) => schema.persistent_digest(&PostgresDialect, content_id).await,
            Self::Guarded(base) => short_digest([&*base.name, GUARD]),
        }
    }

    /// Whether filling a database again makes an equal one.
    pub(crate) fn is_replayable(&self) -> bool {
        matches!(self, Self::Schema(schema) if schema.is_replayable())
    }

    async fn find_or_build(
        self,
        office: &Arc<Office>,
        wait: Duration,
    ) -> Result<(Arc<Pattern>, bool), Error> {
        let facts = &office.facts;
        let major = (facts.version / 10_000).to_string();
        let content = self.digest().await;
        let digest = short_digest([FORMAT, &major, &facts.nature, &facts.role, &content]);
        let name = format!("gl_t_{digest}");
        let anew = Anew::wanted(office).await?;
        let cannot = |error| failed("the templates of this server cannot be read", error);
        let found = {
            let mut front = office.front().await;
            find(&mut front, &name, &self, anew).await.map_err(cannot)?
        };
        if let Some(pattern) = found {
            return Ok((Arc::new(pattern), false));
        }
        let name = name.as_str();
        let building = Building {
            office,
            content: &self,
            name,
            anew,
            wait,
        };
        let built = building.run().await?;
        // The connection that found or built it is closed.
        office.uses(name).await.map_err(cannot)?;
        Ok(built)
    }

    /// Fills the new database `name`.
    pub(crate) async fn fill(
        &self,
        office: &Office,
        name: &str,
        wait: Duration,
    ) -> Result<(), Error> {
        let cannot = |error| failed("the template cannot be built", error);
        let options = office.options_of(name);
        let schema = match self {
            Self::Schema(schema) => schema,
            Self::Guarded(_) => {
                let mut connection = AdminConnection::connect_when_free(&options)
                    .await
                    .map_err(cannot)?;
                let guarded = run(&mut connection, GUARD.to_owned()).await;
                connection.close().await;
                return guarded.map_err(cannot);
            }
        };
        let pool = PgPoolOptions::new()
            .max_connections(office.budget.per_test().saturating_sub(1).max(1))
            .acquire_timeout(wait)
            .connect_with(options.clone())
            .await
            .map_err(cannot)?;
        let db = DatabasePool::new(pool.clone());
        let what = format!("the schema made at {}", schema.place());
        let db = NewDatabase::new(db, office.url_of(name));
        let applied =
            while_server_alive::<PgConnection, _>(&options, &what, schema.apply(&db)).await;
        drop(db);
        // Closing waits for connections that a seed may have leaked, so not for ever.
        let _ = tokio::time::timeout(Duration::from_millis(500), pool.close()).await;
        applied.map_err(cannot)?
    }
}

/// The template `name`, if it is whole. Its last use is noted, and `connection` holds its lock from here on.
async fn find(
    connection: &mut AdminConnection,
    name: &str,
    content: &Content,
    anew: Option<Anew>,
) -> Result<Option<Pattern>, sqlx::Error> {
    if let Some(anew) = anew
        && !anew.is_done(connection, name).await?
    {
        return Ok(None);
    }
    let row = sqlx::query(
        "UPDATE green_light.template t SET used = now() FROM pg_database d \
         WHERE t.name = $1 AND d.datname = $1 AND d.datistemplate AND NOT d.datallowconn \
         RETURNING t.strategy, t.likeness, pg_advisory_lock_shared($2, hashtext($1))",
    )
    .bind(name)
    .bind(USE)
    .fetch_optional_with(connection)
    .await?;
    let Some(row) = row else {
        return Ok(None);
    };
    Ok(Some(Pattern {
        name: name.to_owned(),
        strategy: Strategy::of_name(row.try_get(0)?),
        likeness: row.try_get(1)?,
        content: content.clone(),
    }))
}

struct Building<'a> {
    office: &'a Arc<Office>,
    content: &'a Content,
    name: &'a str,
    anew: Option<Anew>,
    wait: Duration,
}

impl Building<'_> {
    /// Waits for whoever builds it, or builds it.
    async fn run(&self) -> Result<(Arc<Pattern>, bool), Error> {
        // For the connection that holds the lock, and for those of the schema.
        let budget = &self.office.budget;
        let _permits = budget
            .permits_if(!Holding::is_any(), budget.per_test())
            .await?;
        let cannot = |error| failed("the template cannot be built", error);
        let mut connection = AdminConnection::connect_when_free(&self.office.maintenance)
            .await
            .map_err(cannot)?;
        let result = match self.turn(&mut connection).await {
            Ok(Some(pattern)) => Ok((Arc::new(pattern), false)),
            Ok(None) => self.build(&mut connection).await,
            Err(error) => Err(error),
        };
        // Closing frees the lock.
        connection.close().await;
        result
    }

    /// Waits for the right to build; returns the template if somebody else has built it meanwhile.
    async fn turn(&self, connection: &mut AdminConnection) -> Result<Option<Pattern>, Error> {
        let cannot = |error| failed("the template cannot be looked for", error);
        let mut backoff = Backoff::new();
        loop {
            let locked: bool =
                sqlx::query_scalar("SELECT pg_try_advisory_lock(hashtextextended($1, 0))")
                    .bind(self.name)
                    .fetch_one_with(&mut *connection)
                    .await
                    .map_err(cannot)?;
            let found = find(connection, self.name, self.content, self.anew)
                .await
                .map_err(cannot)?;
            if locked || found.is_some() {
                return Ok(found);
            }
            if backoff.expired() {
                return Err(Error::new(
                    Kind::Held,
                    format!(
                        "another process has been building the template `{}` for too long",
                        self.name
                    ),
                )
                .help("look for a test process that hangs in a migration or a seed, and end it"));
            }
            backoff
                .pause(|| "another process builds the template of this schema".to_owned())
                .await;
        }
    }

    async fn build(&self, connection: &mut AdminConnection) -> Result<(Arc<Pattern>, bool), Error> {
        let (office, name) = (self.office, self.name);
        let cannot = |error| failed("the template cannot be built", error);
        if let Some(anew) = self.anew {
            anew.make_room(office, connection, name)
                .await
                .map_err(cannot)?;
        }
        let is_there: Option<bool> = sqlx::query_scalar(
            "SELECT datistemplate AND NOT datallowconn FROM pg_database WHERE datname = $1",
        )
        .bind(name)
        .fetch_optional_with(&mut *connection)
        .await
        .map_err(cannot)?;
        let mut built = None;
        match is_there {
            // Its builder was killed between the last two steps.
            Some(true) => {}
            Some(false) => {
                return Err(Error::new(
                    Kind::Configuration,
                    format!("the database `{name}` has the name of a template, but is none"),
                )
                .help("drop it, unless something needs it"));
            }
            None => built = Some(self.make(connection).await?),
        }
        let likeness = database_properties::read(connection, name, &office.mark())
            .await
            .map_err(cannot)?;
        let draft = |strategy| Pattern {
            name: name.to_owned(),
            strategy,
            likeness: likeness.clone(),
            content: self.content.clone(),
        };
        let (strategy, measured) = Stock::measure(office, connection, draft, built).await?;
        sqlx::query(
            "INSERT INTO green_light.template (name, strategy, likeness, measured) \
             VALUES ($1, $2, $3, $4) ON CONFLICT (name) DO UPDATE \
             SET strategy = $2, likeness = $3, measured = $4, used = now()",
        )
        .bind(name)
        .bind(strategy.name())
        .bind(&likeness)
        .bind(measured)
        .execute_with(&mut *connection)
        .await
        .map_err(cannot)?;
        if let Some(anew) = self.anew {
            anew.done(connection, name).await.map_err(cannot)?;
        }
        Ok((Arc::new(draft(strategy)), built.is_some()))
    }

    /// Makes the template, under another name until it is whole. Returns how long the schema took.
    async fn make(&self, connection: &mut AdminConnection) -> Result<Duration, Error> {
        let (office, name) = (self.office, self.name);
        let cannot = |error| failed("the template cannot be built", error);
        let draft = new_name("b");
        Stock::enter(connection, office, &draft, name, "making", None)
            .await
            .map_err(cannot)?;
        let started = Instant::now();
        let mut create = format!("CREATE DATABASE {}", quoted(&draft));
        if let Content::Guarded(base) = self.content {
            create.push_str(&format!(" TEMPLATE {}", quoted(&base.name)));
        }
        let created = connection.execute_slow(AssertSqlSafe(create)).await;
        created.map_err(cannot)?;
        let mark = literal(&office.mark());
        run(
            connection,
            format!("COMMENT ON DATABASE {} IS {mark}", quoted(&draft)),
        )
        .await
        .map_err(cannot)?;
        if let Content::Guarded(base) = self.content {
            run(connection, database_properties::of(&base.likeness, &draft))
                .await
                .map_err(cannot)?;
        }
        self.content.fill(office, &draft, self.wait).await?;
        let took = started.elapsed();
        let close = format!(
            "ALTER DATABASE {} WITH ALLOW_CONNECTIONS false IS_TEMPLATE true",
            quoted(&draft)
        );
        run(connection, close).await.map_err(cannot)?;
        // A seed may have left a connection behind, and a template must have none.
        sqlx::query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1")
            .bind(&draft)
            .execute_with(&mut *connection)
            .await
            .map_err(cannot)?;
        let rename = format!(
            "ALTER DATABASE {} RENAME TO {}",
            quoted(&draft),
            quoted(name)
        );
        run(connection, rename).await.map_err(cannot)?;
        sqlx::query("DELETE FROM green_light.database WHERE name = $1")
            .bind(&draft)
            .execute_with(connection)
            .await
            .map_err(cannot)?;
        Ok(took)
    }
}
