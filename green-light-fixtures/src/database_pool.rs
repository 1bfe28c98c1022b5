//! A pool of sqlx, whichever database it belongs to.

use std::{any::Any, fmt, pin::Pin, sync::Arc};

use sqlx::{Database, Pool, pool::PoolConnection};

use crate::backend::Backend;
use crate::sql::dialect::Dialect;

/// What an `async` method of a trait object returns.
pub(crate) type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What green-light asks of the pools of one database, besides what sqlx says of every pool.
pub(crate) trait PoolDriver: Database {
    const DIALECT: &'static dyn Dialect;

    /// Runs a text of one or more statements, unprepared.
    fn execute(
        connection: &mut Self::Connection,
        sql: String,
    ) -> BoxFuture<'_, Result<(), sqlx::Error>>;

    /// The statements that give a connection its settings back after a script; `None` if the connection is to
    /// be closed instead.
    fn settings(
        _connection: &mut Self::Connection,
    ) -> BoxFuture<'_, Result<Option<String>, sqlx::Error>> {
        Box::pin(async { Ok(None) })
    }

    /// What to know if its server was started by green-light and has ended, in words.
    fn server_end() -> Option<String> {
        None
    }

    /// What it means that its server has no connection left, in words, if `error` says that or nothing is known of it.
    fn no_connection(_error: Option<&sqlx::Error>) -> Option<String> {
        None
    }
}

/// Implements [`PoolDriver`] for a database of sqlx, with its dialect and more methods.
macro_rules! pool_driver {
    ($database:ident, $dialect:ident, $($more:tt)*) => {
        impl $crate::database_pool::PoolDriver for sqlx::$database {
            const DIALECT: &'static dyn $crate::sql::dialect::Dialect = &$dialect;

            fn execute(
                connection: &mut Self::Connection,
                sql: String,
            ) -> $crate::database_pool::BoxFuture<'_, Result<(), sqlx::Error>> {
                Box::pin(async move {
                    let sql = sqlx::AssertSqlSafe(sql);
                    sqlx::Executor::execute(connection, sql).await.map(drop)
                })
            }

            $($more)*
        }
    };
}
pub(crate) use pool_driver;

/// A pool of one of the databases. Clones are the same pool. There is none once the test has ended.
#[derive(Clone, Default)]
pub(crate) struct DatabasePool(Option<Arc<dyn AnyPool>>);

impl DatabasePool {
    pub(crate) fn new<DB: PoolDriver>(pool: Pool<DB>) -> Self {
        Self(Some(Arc::new(pool)))
    }

    /// Which database it is on.
    pub(crate) fn backend(&self) -> Option<Backend> {
        self.dialect().map(Dialect::backend)
    }

    /// The SQL that it understands.
    pub(crate) fn dialect(&self) -> Option<&'static dyn Dialect> {
        self.0.as_ref().map(|pool| pool.dialect())
    }

    /// The pool of sqlx, if it is one of this database.
    pub(crate) fn of<DB: PoolDriver>(&self) -> Option<&Pool<DB>> {
        self.0.as_ref()?.as_any().downcast_ref()
    }

    /// Refuses new acquisitions from here on, and waits for the connections that are out.
    ///
    /// The first happens at once, the second when the returned future is awaited.
    pub(crate) fn close(&self) -> impl Future<Output = ()> + use<> {
        let closing = self.0.as_ref().map(|pool| pool.close());
        async move {
            if let Some(closing) = closing {
                closing.await;
            }
        }
    }

    /// What to know if its server was started by green-light and has ended, in words.
    pub(crate) fn server_end(&self) -> Option<String> {
        self.0.as_ref()?.server_end()
    }

    /// What it means that its server has no connection left, in words, if `error` says that or nothing is known of it.
    pub(crate) fn no_connection(&self, error: Option<&sqlx::Error>) -> Option<String> {
        self.0.as_ref()?.no_connection(error)
    }

    /// Runs a text of one or more statements, unprepared, on one connection.
    pub(crate) async fn run_text(&self, sql: String) -> Result<(), sqlx::Error> {
        self.open_pool()?.run_text(sql).await
    }

    /// A connection on which a script runs.
    pub(crate) async fn script_connection(&self) -> Result<Box<dyn ScriptConnection>, sqlx::Error> {
        self.open_pool()?.script_connection().await
    }

    fn open_pool(&self) -> Result<&dyn AnyPool, sqlx::Error> {
        self.0.as_deref().ok_or(sqlx::Error::PoolClosed)
    }
}

impl fmt::Debug for DatabasePool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The options of a pool print its password.
        f.debug_tuple("DatabasePool")
            .field(&self.backend())
            .finish()
    }
}

/// One connection that runs the statements of a script, one after the other.
pub(crate) trait ScriptConnection: Send {
    fn run<'a>(&'a mut self, sql: &str) -> BoxFuture<'a, Result<(), sqlx::Error>>;

    /// Ends it. What comes next in the pool gets a connection with the settings of a new one.
    fn end(self: Box<Self>) -> BoxFuture<'static, Result<(), sqlx::Error>>;
}

/// A pool whose database is known at run time alone.
trait AnyPool: Send + Sync {
    fn as_any(&self) -> &dyn Any;
    fn dialect(&self) -> &'static dyn Dialect;
    fn close(&self) -> BoxFuture<'static, ()>;
    fn server_end(&self) -> Option<String>;
    fn no_connection(&self, error: Option<&sqlx::Error>) -> Option<String>;
    fn run_text(&self, sql: String) -> BoxFuture<'_, Result<(), sqlx::Error>>;
    fn script_connection(&self) -> BoxFuture<'_, Result<Box<dyn ScriptConnection>, sqlx::Error>>;
}

impl<DB: PoolDriver> AnyPool for Pool<DB> {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn dialect(&self) -> &'static dyn Dialect {
        DB::DIALECT
    }

    fn close(&self) -> BoxFuture<'static, ()> {
        let pool = self.clone();
        // The call refuses; awaiting what it returns waits.
        drop(Pool::close(&pool));
        Box::pin(async move { Pool::close(&pool).await })
    }

    fn server_end(&self) -> Option<String> {
        DB::server_end()
    }

    fn no_connection(&self, error: Option<&sqlx::Error>) -> Option<String> {
        DB::no_connection(error)
    }

    fn run_text(&self, sql: String) -> BoxFuture<'_, Result<(), sqlx::Error>> {
        Box::pin(async { DB::execute(&mut *self.acquire().await?, sql).await })
    }

    fn script_connection(&self) -> BoxFuture<'_, Result<Box<dyn ScriptConnection>, sqlx::Error>> {
        Box::pin(async {
            let mut connection = self.acquire().await?;
            let settings = DB::settings(&mut connection).await?;
            let connection: Box<dyn ScriptConnection> = Box::new(Kept::<DB> {
                connection,
                settings,
            });
            Ok(connection)
        })
    }
}

struct Kept<DB: PoolDriver> {
    connection: PoolConnection<DB>,
    settings: Option<String>,
}

impl<DB: PoolDriver> ScriptConnection for Kept<DB> {
    fn run<'a>(&'a mut self, sql: &str) -> BoxFuture<'a, Result<(), sqlx::Error>> {
        DB::execute(&mut self.connection, sql.to_owned())
    }

    fn end(mut self: Box<Self>) -> BoxFuture<'static, Result<(), sqlx::Error>> {
        Box::pin(async move {
            match self.settings.take() {
                Some(settings) => DB::execute(&mut self.connection, settings).await,
                None => self.connection.close().await,
            }
        })
    }
}
