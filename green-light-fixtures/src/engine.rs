//! One database, one schema, one template, one set of slots.
//!
//! An engine is a cheap handle: clones share everything. It belongs to no runtime: any tokio runtime
//! may open a transaction on it, and the slots it keeps outlive the runtime that made them.

use std::{fmt, pin::pin, sync::Arc, time::Duration};

use green_light_core::progress;

use crate::backend::Backend;
use crate::database::factory::DatabaseFactory;
use crate::database::keep_failed;
use crate::database_pool::BoxFuture;
use crate::driver::engine_builder::{EngineBuilder, EngineOptions, Storage};
use crate::driver::traits::Driver;
use crate::drivers::{self, driver};
use crate::env;
use crate::error::Error;
use crate::files::base;
use crate::isolation::Isolation;
use crate::limits::Timeouts;
use crate::sandbox::lease::Lease;
use crate::sandbox::pool::SandboxPool;
use crate::schema::definition::Schema;
use crate::session::handle::Session;
use crate::session::isolated::IsolatedDb;
use crate::session::transaction::Transaction;
use crate::test_id::TestId;
use crate::url::DatabaseUrl;

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
    slots: Arc<SandboxPool>,
    databases: Arc<DatabaseFactory>,
    backend: Backend,
    has_schema: bool,
}

impl Engine {
    /// Starts to describe an engine: SQLite, in memory, without tables, unless another is set.
    #[track_caller]
    pub fn builder() -> EngineBuilder {
        EngineBuilder {
            backend: Backend::default(),
            schema: Schema::empty(),
            options: EngineOptions {
                storage: Storage::Memory,
                waits: Timeouts {
                    connection: Duration::from_secs(5),
                    teardown: Duration::from_secs(5),
                },
                connect: None,
            },
        }
    }

    /// A session for one test, which owns its transaction: end it with [`Session::finish`].
    ///
    /// # Errors
    ///
    /// When no database can be made from the template.
    pub async fn session(&self, isolation: Isolation) -> Result<Session, Error> {
        let isolated = self.isolated(isolation, TestId::here()).await?;
        Ok(isolated.into_session())
    }

    /// What isolates `test` from other tests: a transaction, or a lease of a database that it may commit to.
    ///
    /// The name is used in messages. Outside of `#[green_light::test]` and its fixtures, it also tells the test from
    /// others where connections of a server are few.
    ///
    /// # Errors
    ///
    /// When no database can be made from the template.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost when the future is dropped.
    pub async fn isolate(&self, isolation: Isolation, test: &str) -> Result<Transaction, Error> {
        self.isolated(isolation, TestId::named(test)).await
    }

    /// In a box: rustc computes the layout of the whole of a user's future, to a limited depth.
    fn isolated(
        &self,
        isolation: Isolation,
        test: TestId,
    ) -> BoxFuture<'_, Result<Transaction, Error>> {
        Box::pin(async move {
            let isolated = match isolation {
                Isolation::Transaction => IsolatedDb::Sandbox(Lease::of(&self.slots, test).await?),
                Isolation::Database => IsolatedDb::Database(self.databases.dedicated(test).await?),
                Isolation::Shared => IsolatedDb::Database(self.databases.shared(test).await?),
            };
            Ok(Transaction::new(isolated, self.backend))
        })
    }

    /// The outer transaction of the test that runs here.
    ///
    /// Outside of `#[green_light::test]` and its fixtures, it is named after the current thread, as libtest does.
    ///
    /// # Errors
    ///
    /// When no database can be made from the template.
    pub async fn transaction(&self) -> Result<Transaction, Error> {
        self.isolated(Isolation::Transaction, TestId::here()).await
    }

    /// The outer transaction of `test`, as by [`isolate`](Self::isolate).
    ///
    /// # Errors
    ///
    /// When no database can be made from the template.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost when the future is dropped.
    pub async fn transaction_for(&self, test: &str) -> Result<Transaction, Error> {
        self.isolate(Isolation::Transaction, test).await
    }

    /// Which database this is.
    #[must_use]
    pub fn backend(&self) -> Backend {
        self.backend
    }

    /// Whether anything says what its databases hold.
    pub(crate) fn has_schema(&self) -> bool {
        self.has_schema
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
            templates_built: self.slots.template().builds(),
            slots_opened: counts.opened,
            slots_idle: counts.idle,
            slots_discarded: counts.discarded,
            transactions: counts.leases,
            transactions_open: counts.leases.saturating_sub(counts.ended),
            databases_made: self.databases.created(),
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
    /// How often the schema and its seeds ran in this process: not at all if the template was there, and more than
    /// once if the server has crashed.
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
    /// How many databases were made for tests that may commit to them.
    pub databases_made: u64,
}

impl EngineBuilder {
    /// Builds the template: migrations, tables, seeds, once.
    ///
    /// # Errors
    ///
    /// When a step of the schema fails, the directory for files cannot be written, or a variable of
    /// green-light is not understood.
    ///
    /// # Panics
    ///
    /// When a seed panics, with its message.
    pub async fn build(self) -> Result<Engine, Error> {
        check_variables()?;
        let driver = driver(self.backend)?;
        self.build_on(driver).await
    }

    /// Builds the template with `driver`.
    ///
    /// In a box: rustc refuses to look into futures of users that are too deep.
    fn build_on(self, driver: &dyn Driver) -> BoxFuture<'_, Result<Engine, Error>> {
        Box::pin(async move {
            driver.find_server().await?;
            let waits = self.options.waits;
            let template = self.waiting(driver.template(&self.schema, &self.options));
            let template = template.await?;
            Ok(Engine {
                databases: Arc::new(DatabaseFactory::new(Arc::clone(&template), waits)),
                slots: SandboxPool::new(template, waits),
                backend: self.backend,
                has_schema: !self.schema.is_empty(),
            })
        })
    }

    /// Waits for a template, and says so if that takes long.
    async fn waiting<T>(&self, building: impl Future<Output = T>) -> T {
        let mut building = pin!(building);
        if let Ok(template) = tokio::time::timeout(PATIENCE, &mut building).await {
            return template;
        }
        let place = self.schema.place();
        progress(&format!(
            "building the database of the schema made at {place}"
        ));
        building.await
    }
}

/// Whether all variables of green-light are understood.
///
/// # Errors
///
/// When one is not, with what to write.
pub(crate) fn check_variables() -> Result<(), Error> {
    env::forced_rebuild()?;
    base::check()?;
    keep_failed::limit()?;
    Isolation::from_env()?;
    drivers::check_variables()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::driver::in_memory::{Call, InMemory};

    async fn engine(driver: &InMemory) -> Engine {
        Engine::builder().build_on(driver).await.unwrap()
    }

    #[tokio::test]
    async fn the_server_is_found_before_the_template_is_built_once() {
        let driver = InMemory::default();
        let engine = engine(&driver).await;
        assert_eq!(driver.calls(), [Call::FindServer, Call::BuildTemplate]);
        for _ in 0..2 {
            engine.transaction().await.unwrap().finish().await.unwrap();
        }
        let stats = engine.stats();
        assert_eq!((stats.templates_built, stats.slots_opened), (1, 1));
        assert_eq!((stats.transactions, stats.transactions_open), (2, 0));
        engine.close();
        assert_eq!(engine.stats().slots_idle, 0);
    }

    #[tokio::test]
    async fn a_server_that_cannot_be_found_is_the_error_of_the_engine() {
        let driver = InMemory::default();
        driver.refuses();
        let error = Engine::builder().build_on(&driver).await.unwrap_err();
        assert_eq!(error.to_string(), "the database in memory refuses");
    }

    #[tokio::test]
    async fn each_isolation_asks_for_another_database() {
        let driver = InMemory::default();
        let engine = engine(&driver).await;
        driver.calls();
        for isolation in [Isolation::Database, Isolation::Shared, Isolation::Shared] {
            let transaction = engine.isolate(isolation, "shop::orders").await.unwrap();
            assert_eq!(transaction.isolation(), isolation);
            transaction.finish().await.unwrap();
        }
        let calls = driver.calls();
        let created = |call: &&Call| matches!(call, Call::Create { .. });
        assert_eq!(calls.iter().filter(created).count(), 2, "{calls:?}");
        let restored = |call: &&Call| matches!(call, Call::Restore { number: 2, .. });
        assert_eq!(calls.iter().filter(restored).count(), 1, "{calls:?}");
        assert!(calls.contains(&Call::Drop(1)), "{calls:?}");
        assert_eq!(engine.stats().databases_made, 2);
        drop(engine);
        assert_eq!(driver.calls(), [Call::Drop(2)]);
    }
}
