//! The session itself.

use std::{fmt, sync::Arc};

use sqlx::Pool;

use crate::backend::Backend;
use crate::database_pool::{DatabasePool, PoolDriver};
use crate::databases::with_databases;
use crate::error::Error;
use crate::isolation::Isolation;
use crate::sandbox::contention;
use crate::session::isolated::{IsolatedDb, Owner};
use crate::url::DatabaseUrl;

/// What a test uses to talk to its database.
///
/// `&session` is a `&DatabaseConnection` for application code, `session.connection().clone()` is one
/// to keep, and the session can be given to SeaORM's own methods.
///
/// With [`Isolation::Transaction`] the test has one connection. Concurrent queries are correct, but
/// take turns. A query that is sent while a transaction or a stream is open on the same session
/// waits for it, and fails after 5 s with an error that says who holds the connection. With the
/// other isolations it has five.
#[derive(Clone)]
pub struct Session {
    pub(crate) shared: Arc<Shared>,
    /// Set if the session was made without a transaction of its own in sight.
    owned: Option<Arc<Owner>>,
}

pub(crate) struct Shared {
    pool: DatabasePool,
    #[cfg(feature = "sea-orm")]
    pub(crate) connection: sea_orm::DatabaseConnection,
    pub(crate) isolated: Arc<IsolatedDb>,
    backend: Backend,
}

impl Session {
    pub(crate) fn new(isolated: Arc<IsolatedDb>, backend: Backend) -> Self {
        Self {
            shared: Arc::new(Shared {
                pool: isolated.pool(),
                #[cfg(feature = "sea-orm")]
                connection: isolated.connection(),
                isolated,
                backend,
            }),
            owned: None,
        }
    }

    pub(crate) fn owning(mut self, owner: Arc<Owner>) -> Self {
        self.owned = Some(owner);
        self
    }

    pub(crate) fn pool(&self) -> &DatabasePool {
        &self.shared.pool
    }

    /// Which database this is.
    #[must_use]
    pub fn backend(&self) -> Backend {
        self.shared.backend
    }

    /// How the test is kept apart from the others.
    #[must_use]
    pub fn isolation(&self) -> Isolation {
        self.shared.isolated.isolation()
    }

    /// Where the database is.
    ///
    /// With [`Isolation::Transaction`] a connection of its own to that place sees nothing of the
    /// test, and cannot write where a later test would find it: SQLite refuses, and a database on a server whose
    /// place was asked for is not used again. With the other isolations it sees what the test has
    /// committed, and may write.
    #[must_use]
    pub fn url(&self) -> &DatabaseUrl {
        self.shared.isolated.give_url()
    }

    #[track_caller]
    fn raw<DB: PoolDriver>(&self) -> &Pool<DB> {
        let Shared { pool, isolated, .. } = &*self.shared;
        let (backend, wanted) = (self.backend(), DB::DIALECT.backend());
        assert!(
            backend == wanted,
            "this session is on `{backend}`, not on `{wanted}`\n  help: ask `session.backend()` first"
        );
        pool.of()
            .unwrap_or_else(|| panic!("{}", contention::has_ended(isolated.test())))
    }

    /// Ends the test's transaction, as [`Transaction::finish`](crate::Transaction::finish) does.
    ///
    /// # Errors
    ///
    /// As [`Transaction::finish`](crate::Transaction::finish).
    ///
    /// # Cancel safety
    ///
    /// Dropping the future throws the database away; the next test gets a new one.
    pub async fn finish(self) -> Result<(), Error> {
        let taken = self.shared.isolated.take();
        drop(self);
        match taken {
            Some(taken) => taken.end().await,
            None => Ok(()),
        }
    }
}

macro_rules! pools {
    ($(#[$is_on:meta] $_folder:ident, $database:ident, $name:literal, $method:ident, $_pool:ident, $_connection:ident;)*) => {
        impl Session {$(
            #[doc = concat!("The sqlx pool behind the connection, on ", $name, ", for code that uses sqlx itself.")]
            ///
            /// It is closed when the test ends: a clone that outlives the test reaches no later one. With
            /// [`Isolation::Transaction`] it has one connection, inside the test's transaction, and
            /// `pool.connect_options()` leads to no database: another connection would see nothing of the test.
            ///
            /// # Panics
            ///
            /// When the session is on another backend, or its test has ended.
            #[$is_on]
            #[must_use]
            #[track_caller]
            pub fn $method(&self) -> &Pool<sqlx::$database> {
                self.raw()
            }
        )*}
    };
}

with_databases!(pools);

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("backend", &self.backend())
            .field("url", self.shared.isolated.url())
            .field("test", &self.shared.isolated.test())
            .finish()
    }
}
