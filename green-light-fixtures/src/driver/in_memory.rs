//! A driver for unit tests: its databases are numbers, and they end as the test says.

use std::{
    mem,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use green_light_core::Mutex;

use crate::backend::Backend;
use crate::database_pool::{BoxFuture, DatabasePool};
use crate::driver::engine_builder::EngineOptions;
use crate::driver::monitor::SandboxMonitor;
use crate::driver::outcome::FinishOutcome;
use crate::driver::traits::{
    Driver, IsHeld, KeptDatabase, OnShared, SlotDatabase, Template, TestDatabase,
};
use crate::error::{Error, Kind};
use crate::limits::Timeouts;
use crate::schema::definition::Schema;
use crate::sql::dialect::{Dialect, ProgramBody, Rejection};
use crate::sql::lexer::LexerRules;
use crate::url::DatabaseUrl;

/// What a driver, a template or a database was asked to do. Databases have numbers from 1 on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    FindServer,
    BuildTemplate,
    OpenSlot(u64),
    Unpark(u64),
    Park(u64),
    Finish { slot: u64, detaches: bool },
    RenewPool(u64),
    Close(u64),
    Create { number: u64, owner: String },
    Open(u64),
    Restore { number: u64, is_held: bool },
    Keep(u64),
    Drop(u64),
}

/// What the databases do, and what was asked of them. Clones are the same.
#[derive(Clone, Debug, Default)]
pub(crate) struct InMemory(Arc<State>);

#[derive(Debug, Default)]
struct State {
    calls: Mutex<Vec<Call>>,
    outcome: Mutex<Option<FinishOutcome>>,
    made: AtomicU64,
    counts_connections: AtomicBool,
    refuses: AtomicBool,
    may_not_idle: AtomicBool,
    shares_pools: AtomicBool,
}

impl InMemory {
    /// One whose databases are on a server.
    pub(crate) fn on_server() -> Self {
        let driver = Self::default();
        driver.0.counts_connections.store(true, Ordering::Relaxed);
        driver
    }

    /// What was asked since this was called last.
    pub(crate) fn calls(&self) -> Vec<Call> {
        mem::take(&mut *self.0.calls.lock())
    }

    fn note(&self, call: Call) {
        self.0.calls.lock().push(call);
    }

    /// The next test ends so, instead of clean.
    pub(crate) fn ends_with(&self, outcome: FinishOutcome) {
        *self.0.outcome.lock() = Some(outcome);
    }

    /// From here on nothing can be opened, renewed or restored.
    pub(crate) fn refuses(&self) {
        self.0.refuses.store(true, Ordering::Relaxed);
    }

    /// From here on the connections of databases are not counted.
    pub(crate) fn may_not_idle(&self) {
        self.0.may_not_idle.store(true, Ordering::Relaxed);
    }

    /// From here on something else than the slot has its pool.
    pub(crate) fn shares_pools(&self) {
        self.0.shares_pools.store(true, Ordering::Relaxed);
    }

    fn answer(&self) -> Result<(), Error> {
        if self.0.refuses.load(Ordering::Relaxed) {
            return Err(Error::new(
                Kind::Connection,
                "the database in memory refuses",
            ));
        }
        Ok(())
    }

    fn database(&self) -> InMemoryDatabase {
        let number = self.0.made.fetch_add(1, Ordering::Relaxed) + 1;
        InMemoryDatabase {
            number,
            url: DatabaseUrl::new(format!("memory:{number}")),
            is_parked: AtomicBool::new(false),
            driver: self.clone(),
        }
    }
}

impl Driver for InMemory {
    fn find_server(&self) -> BoxFuture<'_, Result<(), Error>> {
        self.note(Call::FindServer);
        Box::pin(async { self.answer() })
    }

    fn template<'a>(
        &'a self,
        _schema: &'a Schema,
        _options: &'a EngineOptions,
    ) -> BoxFuture<'a, Result<Arc<dyn Template>, Error>> {
        self.note(Call::BuildTemplate);
        let template: Arc<dyn Template> = Arc::new(self.clone());
        Box::pin(async move { self.answer().map(|()| template) })
    }
}

impl Template for InMemory {
    fn dialect(&self) -> &'static dyn Dialect {
        &NoDialect
    }

    fn url(&self) -> DatabaseUrl {
        DatabaseUrl::new("memory:template")
    }

    fn builds(&self) -> u64 {
        1
    }

    fn on_shortage(&self, _evict: fn()) -> bool {
        self.0.counts_connections.load(Ordering::Relaxed)
    }

    fn open_slot<'a>(
        &'a self,
        number: u64,
        _test: &'a str,
        _monitor: &'a Arc<SandboxMonitor>,
        _wait: Duration,
    ) -> BoxFuture<'a, Result<Box<dyn SlotDatabase>, Error>> {
        Box::pin(async move {
            self.answer()?;
            self.note(Call::OpenSlot(number));
            let database: Box<dyn SlotDatabase> = Box::new(self.database());
            Ok(database)
        })
    }

    fn create<'a>(
        &'a self,
        owner: &'a str,
        _timeouts: Timeouts,
    ) -> BoxFuture<'a, Result<Box<dyn TestDatabase>, Error>> {
        Box::pin(async move {
            self.answer()?;
            let database = self.database();
            self.note(Call::Create {
                number: database.number,
                owner: owner.to_owned(),
            });
            let database: Box<dyn TestDatabase> = Box::new(database);
            Ok(database)
        })
    }
}

#[derive(Debug)]
struct InMemoryDatabase {
    number: u64,
    url: DatabaseUrl,
    is_parked: AtomicBool,
    driver: InMemory,
}

impl SlotDatabase for InMemoryDatabase {
    fn pool(&self) -> DatabasePool {
        DatabasePool::default()
    }

    fn url(&self) -> Option<&DatabaseUrl> {
        Some(&self.url)
    }

    fn guard_savepoint(&self) -> Option<Arc<str>> {
        None
    }

    fn is_shielded(&self) -> bool {
        true
    }

    fn shared_pool(&self) -> BoxFuture<'_, Option<IsHeld>> {
        let is_shared = self.driver.0.shares_pools.load(Ordering::Relaxed);
        Box::pin(async move { is_shared.then(|| -> IsHeld { Box::new(|| true) }) })
    }

    fn finish<'a>(
        &'a self,
        _grace: Duration,
        is_shared: bool,
        shared: OnShared<'a>,
    ) -> BoxFuture<'a, FinishOutcome> {
        let slot = self.number;
        let shares = self.driver.0.shares_pools.load(Ordering::Relaxed);
        if shares && !is_shared {
            shared(Box::new(|| true));
        }
        let detaches = shares || is_shared;
        self.driver.note(Call::Finish { slot, detaches });
        let outcome = self.driver.0.outcome.lock().take();
        Box::pin(async move { outcome.unwrap_or(FinishOutcome::Clean) })
    }

    fn renew_pool(&mut self) -> BoxFuture<'_, Result<(), Error>> {
        self.driver.note(Call::RenewPool(self.number));
        Box::pin(async { self.driver.answer() })
    }

    fn close(&self) {
        self.driver.note(Call::Close(self.number));
    }

    fn may_idle(&self) -> bool {
        !self.driver.0.may_not_idle.load(Ordering::Relaxed)
    }

    fn park(&self) {
        self.driver.note(Call::Park(self.number));
        self.is_parked.store(true, Ordering::Relaxed);
    }

    fn unpark(&self) {
        self.driver.note(Call::Unpark(self.number));
        self.is_parked.store(false, Ordering::Relaxed);
    }

    fn is_parked(&self) -> bool {
        self.is_parked.load(Ordering::Relaxed)
    }
}

impl TestDatabase for InMemoryDatabase {
    fn url(&self) -> &DatabaseUrl {
        &self.url
    }

    fn open(&self) -> BoxFuture<'_, Result<DatabasePool, Error>> {
        self.driver.note(Call::Open(self.number));
        Box::pin(async { self.driver.answer().map(|()| DatabasePool::default()) })
    }

    fn check_unlocked(&self) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(async { Ok(()) })
    }

    fn restore(&mut self, is_held: bool) -> BoxFuture<'_, Result<(), Error>> {
        let number = self.number;
        self.driver.note(Call::Restore { number, is_held });
        Box::pin(async { self.driver.answer() })
    }

    fn keep<'a>(
        self: Box<Self>,
        _test: &'a str,
        _at_most: usize,
    ) -> BoxFuture<'a, Result<KeptDatabase, Error>> {
        self.driver.note(Call::Keep(self.number));
        Box::pin(async move {
            Ok(KeptDatabase {
                url: self.url.clone(),
                server_variable: None,
            })
        })
    }
}

impl Drop for InMemoryDatabase {
    fn drop(&mut self) {
        self.driver.note(Call::Drop(self.number));
    }
}

/// No statement is special in memory.
#[derive(Debug)]
struct NoDialect;

impl Dialect for NoDialect {
    fn backend(&self) -> Backend {
        Backend::default()
    }

    fn lexer(&self) -> &'static LexerRules {
        unreachable!("no test here sends SQL")
    }

    fn program(&self, _object: &str) -> Option<Box<dyn ProgramBody>> {
        None
    }

    fn reject(&self, _text: &str) -> Option<Rejection> {
        None
    }

    fn ends_transaction(&self, _sql: &str) -> bool {
        false
    }
}
