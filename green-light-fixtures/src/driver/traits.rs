//! All that the rest of the crate knows of a database.

use std::{any::Any, fmt, sync::Arc, time::Duration};

use sqlx::{Database, Pool};

use crate::database_pool::{BoxFuture, DatabasePool};
use crate::driver::engine_builder::EngineOptions;
use crate::driver::monitor::SandboxMonitor;
use crate::driver::outcome::FinishOutcome;
use crate::driver::server_facts::{ServerFacts, ServerState};
use crate::driver::upkeep::Upkeep;
use crate::error::Error;
use crate::limits::Timeouts;
use crate::schema::definition::Schema;
use crate::sql::dialect::Dialect;
use crate::url::DatabaseUrl;

/// The owner of the database that the tests of a process share.
pub(crate) const ALL_TESTS: &str = "the tests that share a database";

/// One of the databases that green-light knows.
pub(crate) trait Driver: Send + Sync {
    /// Whether its variables are understood.
    ///
    /// # Errors
    ///
    /// When one is not, with what to write.
    fn check_variables(&self) -> Result<(), Error> {
        Ok(())
    }

    /// Finds or starts its server, if it is one.
    fn find_server(&self) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(async { Ok(()) })
    }

    /// What is known of its server, if it is one.
    fn server_facts(&self) -> Option<ServerFacts> {
        None
    }

    /// Finds or starts its server, if it is one, and asks it what it is.
    fn server_state(&self) -> BoxFuture<'_, Result<Option<ServerState>, Error>> {
        Box::pin(async { Ok(None) })
    }

    /// What a person does with its databases and its server.
    fn upkeep(&self) -> Option<&dyn Upkeep> {
        None
    }

    /// Finds or builds the template of `schema`.
    fn template<'a>(
        &'a self,
        schema: &'a Schema,
        options: &'a EngineOptions,
    ) -> BoxFuture<'a, Result<Arc<dyn Template>, Error>>;
}

/// A schema that was run once, from which the databases of tests are made.
pub(crate) trait Template: fmt::Debug + Send + Sync {
    /// The SQL of its databases.
    fn dialect(&self) -> &'static dyn Dialect;

    /// Where the databases that are made from it are.
    fn url(&self) -> DatabaseUrl;

    /// How often the schema ran for it in this process.
    fn builds(&self) -> u64;

    /// Calls `evict` whenever a test waits for a connection of its server, of which there are few: others may be
    /// waiting for connections that are idle. `false` if its databases are on no server.
    fn on_shortage(&self, _evict: fn()) -> bool {
        false
    }

    /// Notes that `test` has a connection of its server, until what is returned is dropped.
    fn note_connection(&self, _test: &str) -> Option<Box<dyn Any + Send + Sync>> {
        None
    }

    /// Notes that `test` has its turn in a database that tests share, until what is returned is dropped.
    fn note_turn(&self, _test: &str) -> Option<Box<dyn Any + Send + Sync>> {
        None
    }

    /// What to know if its server was started by green-light and has ended, in words.
    fn server_end(&self) -> Option<String> {
        None
    }

    /// Makes the database of slot `number`, which `test`, a path, is the first to have, and opens its pool.
    fn open_slot<'a>(
        &'a self,
        number: u64,
        test: &'a str,
        monitor: &'a Arc<SandboxMonitor>,
        wait: Duration,
    ) -> BoxFuture<'a, Result<Box<dyn SlotDatabase>, Error>>;

    /// Makes a database that `owner`, the path of a test, may commit to.
    fn create<'a>(
        &'a self,
        owner: &'a str,
        timeouts: Timeouts,
    ) -> BoxFuture<'a, Result<Box<dyn TestDatabase>, Error>>;
}

/// Whether something still has what belonged to a test that has ended.
pub(crate) type IsHeld = Box<dyn Fn() -> bool + Send>;

/// Called if a test has left something that has the pool.
pub(crate) type OnShared<'a> = &'a (dyn Fn(IsHeld) + Send + Sync);

/// The database of a slot and the pool of its one kept connection.
pub(crate) trait SlotDatabase: fmt::Debug + Send + Sync {
    /// The pool that the test gets.
    fn pool(&self) -> DatabasePool;

    /// Where the database is, if it is not in memory.
    fn url(&self) -> Option<&DatabaseUrl>;

    /// The savepoint that has to stay the innermost, if there is one.
    #[allow(dead_code, reason = "only SeaORM has savepoints of tests")]
    fn guard_savepoint(&self) -> Option<Arc<str>>;

    /// Whether the options of the pool, which a test can read, lead to a stand-in instead of the database.
    fn is_shielded(&self) -> bool;

    /// Something if a later test must not have its pool, because a test has kept a clone of it or has changed it: what
    /// tells whether a clone still lives. For a pool that the test has not used; [`finish`](Self::finish) looks itself.
    fn shared_pool(&self) -> BoxFuture<'_, Option<IsHeld>>;

    /// `test` has ended, and it is not known that it left all beside its database alone: says what it has changed there.
    fn look_after<'a>(&'a self, _test: &'a str) -> BoxFuture<'a, ()> {
        Box::pin(async {})
    }

    /// Waits for the connection, rolls back the outer transaction and puts the connection back.
    ///
    /// Takes `grace` at most. If the pool is shared, which the caller may know, the connection leaves the pool, which is
    /// closed: [`renew_pool`](Self::renew_pool) makes another one. What is found here is given to `shared` before that.
    fn finish<'a>(
        &'a self,
        grace: Duration,
        is_shared: bool,
        shared: OnShared<'a>,
    ) -> BoxFuture<'a, FinishOutcome>;

    /// Gives the slot another pool, of which no test has a clone, over the detached connection or
    /// a new one.
    fn renew_pool(&mut self) -> BoxFuture<'_, Result<(), Error>>;

    /// No other test gets its database: ends what the test has left outside of it.
    fn give_up(&self) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(async { Ok(()) })
    }

    /// Refuses new acquisitions from here on; a connection that is out is closed when it comes back.
    fn close(&self);

    /// Whether it may wait for another test: not if it has a connection that is not counted.
    fn may_idle(&self) -> bool;

    /// It waits for a test. Dropped now, its database becomes ready for other tests.
    fn park(&self);

    /// A test has it.
    fn unpark(&self);

    fn is_parked(&self) -> bool;
}

/// What a slot owns besides its pool: its database, which goes when this is dropped.
pub(crate) trait SlotStorage<DB: Database>: fmt::Debug + Send + Sync + 'static {
    /// Where the database is, if it is not in memory.
    fn url(&self) -> Option<&DatabaseUrl>;

    fn may_idle(&self) -> bool {
        true
    }

    fn park(&self, _pool: &Pool<DB>, _monitor: &Arc<SandboxMonitor>) {}

    fn unpark(&self) {}

    fn is_parked(&self) -> bool {
        false
    }

    /// `test` has ended, and may have changed something beside the database.
    fn look_after<'a>(&'a self, _test: &'a str) -> BoxFuture<'a, ()> {
        Box::pin(async {})
    }

    /// No other test gets the database: ends what the test has left outside of it.
    fn give_up(&self) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(async { Ok(()) })
    }
}

/// A database made from a template, to which tests may commit. Dropping it throws it away.
pub(crate) trait TestDatabase: fmt::Debug + Send + Sync {
    /// Where it is, as long as it lives.
    fn url(&self) -> &DatabaseUrl;

    /// Opens a pool for the test that has it.
    fn open(&self) -> BoxFuture<'_, Result<DatabasePool, Error>>;

    /// Puts back what the test has set in the whole process, and says what it was.
    fn put_back(&self) -> BoxFuture<'_, Vec<String>> {
        Box::pin(async { Vec::new() })
    }

    /// `test` begins with it.
    fn begin(&self, _test: &str) {}

    /// `test`, which began with it, has ended: says what it has changed beside the database.
    fn look_after<'a>(&'a self, _test: &'a str) -> BoxFuture<'a, ()> {
        Box::pin(async {})
    }

    /// Says what the server may have lost of it while `test` had it.
    fn loss<'a>(&'a self, _test: &'a str) -> BoxFuture<'a, Option<Error>> {
        Box::pin(async { None })
    }

    /// Says what the test that has ended still has locked, if it is not unlocked soon.
    fn check_unlocked(&self) -> BoxFuture<'_, Result<(), Error>>;

    /// Gives it the contents of the template again, at the same URL.
    ///
    /// With `is_held` an earlier test may still write through one of its connections: that must not reach the next
    /// test.
    fn restore(&mut self, is_held: bool) -> BoxFuture<'_, Result<(), Error>>;

    /// Ends what the test has left outside of it, if it is to be thrown away. Its pool has been closed.
    fn settle(&self) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(async { Ok(()) })
    }

    /// Keeps it for a person to look at, as one of `at_most` so many. Its pool has been closed. `test` is a path.
    fn keep<'a>(
        self: Box<Self>,
        test: &'a str,
        at_most: usize,
    ) -> BoxFuture<'a, Result<KeptDatabase, Error>>;
}

/// Where a kept database is.
#[derive(Debug)]
pub(crate) struct KeptDatabase {
    pub(crate) url: DatabaseUrl,
    /// The variable that names its server, if it is on one.
    pub(crate) server_variable: Option<&'static str>,
}
