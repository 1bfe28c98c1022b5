//! How one database isolates a test in a transaction.

use std::{
    fmt,
    sync::Arc,
    time::{Duration, Instant},
};

use sqlx::{ConnectOptions as _, Connection, Database, Pool};
use sqlx_core::transaction::TransactionManager as _;

use crate::database_pool::PoolDriver;
use crate::driver::monitor::SandboxMonitor;
use crate::driver::outcome::FinishOutcome;
use crate::error::Error;

/// The first pause between two attempts to connect.
const FIRST_PAUSE: Duration = Duration::from_millis(10);

pub(crate) type ConnectionOf<S> = <<S as Sandbox>::Db as Database>::Connection;
pub(crate) type OptionsOf<S> = <ConnectionOf<S> as Connection>::Options;

/// How one database isolates a test in a transaction that is never committed.
pub(crate) trait Sandbox: fmt::Debug + Send + Sync + 'static {
    type Db: PoolDriver;

    /// The transaction depth that sqlx counts while nothing but the outer transaction is open.
    const BASE_DEPTH: usize;

    /// How to connect to the slot's own database.
    fn options(&self) -> &OptionsOf<Self>;

    /// Where a new pool connects to before it gets the connection that was kept for it, so that the options of
    /// the pool do not lead to the database. `None` where there is no such place.
    fn stand_in(&self) -> Option<OptionsOf<Self>>;

    /// Connects to the slot's own database.
    fn connect(
        &self,
        wait: Duration,
    ) -> impl Future<Output = Result<ConnectionOf<Self>, sqlx::Error>> + Send {
        connect(self.options(), wait)
    }

    /// Opens the outer transaction on a new connection.
    fn begin(
        &self,
        connection: &mut ConnectionOf<Self>,
        monitor: &Arc<SandboxMonitor>,
    ) -> impl Future<Output = Result<(), sqlx::Error>> + Send;

    /// Looks at the first connection, whose state every later test has to leave as it is.
    fn learn(&self, pool: &Pool<Self::Db>) -> impl Future<Output = Result<(), sqlx::Error>> + Send;

    /// A use of the connection is over. `false` if the connection is not to be used again.
    ///
    /// If the test is over as well, ends the outer transaction, by
    /// [`finish_on_way_back`](crate::driver::slot_finish::finish_on_way_back).
    fn after_use(
        &self,
        connection: &mut ConnectionOf<Self>,
        monitor: &SandboxMonitor,
    ) -> impl Future<Output = Result<bool, sqlx::Error>> + Send;

    /// The end of the test has given the connection back. `false` if it is not to be used again.
    fn after_finish(
        &self,
        _connection: &mut ConnectionOf<Self>,
    ) -> impl Future<Output = bool> + Send {
        async { true }
    }

    /// Ends the outer transaction after the last use of the connection, and begins the next one.
    fn finish(
        &self,
        connection: &mut ConnectionOf<Self>,
        monitor: &SandboxMonitor,
    ) -> impl Future<Output = FinishOutcome> + Send;

    /// Whether the connection can be used by the next test, once the next transaction has been begun.
    fn is_usable(&self, connection: &mut ConnectionOf<Self>) -> impl Future<Output = bool> + Send {
        // An answer that has not come yet may say that it cannot.
        async { connection.ping().await.is_ok() }
    }

    /// Waits until all is known about the statement that ended the outer transaction.
    fn flush_events(
        &self,
        _connection: &mut ConnectionOf<Self>,
    ) -> impl Future<Output = ()> + Send {
        async {}
    }

    /// Ends every other connection to the slot's own database, which is not used again.
    fn kill_sessions(&self) -> impl Future<Output = Result<(), sqlx::Error>> + Send {
        async { Ok(()) }
    }

    /// The savepoint that has to stay the innermost, if there is one.
    fn guard_savepoint(&self) -> Option<Arc<str>> {
        None
    }

    fn cannot_open(error: sqlx::Error) -> Error;

    /// The outer transaction could not be begun.
    fn cannot_begin() -> Error;
}

pub(crate) fn depth<DB: Database>(connection: &DB::Connection) -> usize {
    DB::TransactionManager::get_transaction_depth(connection)
}

/// Connects as a pool does: tries again for `wait` while the server starts or has no room.
pub(crate) async fn connect<C: Connection>(
    options: &C::Options,
    wait: Duration,
) -> Result<C, sqlx::Error>
where
    C::Options: sqlx::ConnectOptions<Connection = C>,
{
    connect_unless::<C>(options, wait, |_| false).await
}

/// The same, but an error that `is_final` ends it at once.
#[allow(dead_code, reason = "what servers have is waited for so")]
pub(crate) async fn connect_unless<C: Connection>(
    options: &C::Options,
    wait: Duration,
    is_final: impl Fn(&sqlx::Error) -> bool,
) -> Result<C, sqlx::Error>
where
    C::Options: sqlx::ConnectOptions<Connection = C>,
{
    let started = Instant::now();
    let mut pause = FIRST_PAUSE;
    loop {
        let left = wait.saturating_sub(started.elapsed());
        match tokio::time::timeout(left, options.connect()).await {
            Ok(Err(error)) if is_final(&error) => return Err(error),
            Ok(Err(sqlx::Error::Io(error)))
                if error.kind() == std::io::ErrorKind::ConnectionRefused => {}
            Ok(Err(sqlx::Error::Database(error))) if error.is_transient_in_connect_phase() => {}
            Ok(connected) => return connected,
            Err(_) => return Err(sqlx::Error::PoolTimedOut),
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(wait / 5);
    }
}
