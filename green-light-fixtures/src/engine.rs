//! One database, one schema, one template, one set of slots.
//!
//! An engine is a cheap handle: clones share everything. It belongs to no runtime: any tokio runtime
//! may open a transaction on it, and the slots it keeps outlive the runtime that made them.

use std::{fmt, path::PathBuf, pin::pin, sync::Arc, thread, time::Duration};

use green_light_core::progress;

#[cfg(feature = "sqlite")]
use sqlx::sqlite::SqliteConnectOptions;

use crate::{
    backend::Backend,
    directory::{Directory, default_base},
    error::Error,
    isolation::Isolation,
    sandbox::{SlotSet, Waits},
    schema::Schema,
    session::Session,
    template::Template,
    transaction::Transaction,
    url::DatabaseUrl,
};

/// How long a template may take before it is said that one is being built.
const PATIENCE: Duration = Duration::from_secs(1);

/// A database with its schema, ready to lend transactions and sessions to tests.
///
/// # Examples
///
/// ```
/// # #[tokio::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use green_light_fixtures::{Backend, Engine, Isolation, Schema};
/// use sea_orm::ConnectionTrait;
///
/// let schema = Schema::sql("CREATE TABLE author (id INTEGER PRIMARY KEY, name TEXT NOT NULL)");
/// let engine = Engine::builder().backend(Backend::Sqlite).schema(schema).build().await?;
///
/// let session = engine.session(Isolation::Transaction).await?;
/// session.execute_unprepared("INSERT INTO author (name) VALUES ('ann')").await?;
/// session.finish().await?;                               // rolls back
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Engine {
    slots: Arc<SlotSet>,
    backend: Backend,
}

impl Engine {
    /// Starts describing an engine: SQLite, in memory, without tables, unless told otherwise.
    #[track_caller]
    pub fn builder() -> EngineBuilder {
        EngineBuilder {
            backend: Backend::default(),
            schema: Schema::empty(),
            place: Place::Memory,
            waits: Waits {
                connection: Duration::from_secs(5),
                teardown: Duration::from_secs(5),
            },
            #[cfg(feature = "sqlite")]
            sqlite: SqliteConnectOptions::new(),
        }
    }

    /// A session for one test, which owns its transaction: end it with [`Session::finish`].
    ///
    /// # Errors
    ///
    /// When no database can be made from the template.
    pub async fn session(&self, isolation: Isolation) -> Result<Session, Error> {
        match isolation {
            Isolation::Transaction => Ok(self.transaction().await?.into_session()),
        }
    }

    /// The outer transaction of one test, named after the current thread, as libtest does.
    ///
    /// # Errors
    ///
    /// When no database can be made from the template.
    pub async fn transaction(&self) -> Result<Transaction, Error> {
        let thread = thread::current();
        let name = thread.name().filter(|name| !name.starts_with("tokio-"));
        self.transaction_for(name.unwrap_or("(unnamed)")).await
    }

    /// The outer transaction of `test`, a name used in messages only.
    ///
    /// # Errors
    ///
    /// When no database can be made from the template.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost when the future is dropped.
    pub async fn transaction_for(&self, test: &str) -> Result<Transaction, Error> {
        let lease = self.slots.lend(test.into()).await?;
        Ok(Transaction::new(
            lease,
            self.backend,
            self.slots.template().url(),
        ))
    }

    /// Which database this is.
    #[must_use]
    pub fn backend(&self) -> Backend {
        self.backend
    }

    /// Where its databases are.
    #[must_use]
    pub fn url(&self) -> DatabaseUrl {
        self.slots.template().url()
    }

    /// What has happened so far.
    #[must_use]
    pub fn stats(&self) -> EngineStats {
        let counts = self.slots.counts();
        EngineStats {
            templates_built: 1,
            slots_opened: counts.opened,
            slots_idle: counts.idle,
            slots_discarded: counts.discarded,
            transactions: counts.leases,
            transactions_open: counts.leases.saturating_sub(counts.ended),
        }
    }

    /// Closes the databases that no test uses; later tests get new ones.
    ///
    /// Dropping the last clone of an engine does the same, and removes its files.
    pub fn close(&self) {
        self.slots.clear();
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine")
            .field("backend", &self.backend)
            .field("url", &self.url())
            .field("stats", &self.stats())
            .finish()
    }
}

/// What an engine has done so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct EngineStats {
    /// How often the schema and its seeds ran.
    pub templates_built: u64,
    /// How many databases were made from the template.
    pub slots_opened: u64,
    /// How many of them wait for a test.
    pub slots_idle: usize,
    /// How many were thrown away because a test had left something behind.
    pub slots_discarded: u64,
    /// How many transactions were lent to tests.
    pub transactions: u64,
    /// How many of them have not ended.
    pub transactions_open: u64,
}

/// Describes an [`Engine`].
#[derive(Clone, Debug)]
#[must_use = "nothing happens until `build` is awaited"]
pub struct EngineBuilder {
    backend: Backend,
    schema: Schema,
    place: Place,
    waits: Waits,
    #[cfg(feature = "sqlite")]
    sqlite: SqliteConnectOptions,
}

#[derive(Clone, Debug)]
enum Place {
    Memory,
    Target,
    Directory(PathBuf),
}

impl EngineBuilder {
    /// Which database to use.
    pub fn backend(mut self, backend: Backend) -> Self {
        self.backend = backend;
        self
    }

    /// What the database holds before any test runs.
    pub fn schema(mut self, schema: Schema) -> Self {
        self.schema = schema;
        self
    }

    /// Puts SQLite's databases into files below the target directory, removed when the engine ends.
    pub fn file(mut self) -> Self {
        self.place = Place::Target;
        self
    }

    /// Puts SQLite's databases into files below `path`, removed when the engine ends.
    pub fn directory(mut self, path: impl Into<PathBuf>) -> Self {
        self.place = Place::Directory(path.into());
        self
    }

    /// How long a query waits for the one connection of its test; 5 s unless set.
    pub fn connection_timeout(mut self, wait: Duration) -> Self {
        self.waits.connection = wait;
        self
    }

    /// How long the end of a test waits for what the test left running; 5 s unless set.
    pub fn teardown_timeout(mut self, wait: Duration) -> Self {
        self.waits.teardown = wait;
        self
    }

    /// Changes how SQLite is opened: collations, extensions, `foreign_keys`, logging.
    ///
    /// The file name and the journal are green-light's own and are set after `change`.
    #[cfg(feature = "sqlite")]
    pub fn map_sqlite_options(
        mut self,
        change: impl FnOnce(SqliteConnectOptions) -> SqliteConnectOptions,
    ) -> Self {
        self.sqlite = change(self.sqlite);
        self
    }

    /// Builds the template: migrations, tables, seeds, once.
    ///
    /// # Errors
    ///
    /// When a step of the schema fails, or the directory for files cannot be written.
    ///
    /// # Panics
    ///
    /// When a seed panics, with its message.
    pub async fn build(self) -> Result<Engine, Error> {
        let directory = match &self.place {
            Place::Memory => None,
            Place::Target => Some(Directory::create(&default_base())?),
            Place::Directory(path) => Some(Directory::create(path)?),
        };
        let mut building = pin!(self.template(directory));
        let template = match tokio::time::timeout(PATIENCE, &mut building).await {
            Ok(template) => template?,
            Err(_) => {
                let place = self.schema.place();
                progress(&format!(
                    "building the database of the schema made at {place}"
                ));
                building.await?
            }
        };
        Ok(Engine {
            slots: SlotSet::new(template, self.waits),
            backend: self.backend,
        })
    }

    async fn template(&self, directory: Option<Directory>) -> Result<Template, Error> {
        match self.backend {
            #[cfg(feature = "sqlite")]
            Backend::Sqlite => {
                let options = self.sqlite.clone();
                Template::sqlite(&self.schema, options, directory, self.waits.connection).await
            }
        }
    }
}
