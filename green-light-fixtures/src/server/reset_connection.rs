//! The connection by which a shared database is put back, kept from the end of one test to the beginning
//! of the next. It is one of those that the database counts for its test, who has them all while it runs.

use std::{
    fmt,
    sync::{Mutex, PoisonError},
};

use sqlx::Database;
use tokio::runtime::{Handle, Id};

use crate::database::shared_queue::Moment;
use crate::server::admin_connection::AdminConnection;
use crate::server::server_connection::ServerConnection;

/// The connection, if there is one, and the runtime that it belongs to.
pub(crate) struct Between<C: ServerConnection>(Mutex<Option<(Id, AdminConnection<C>)>>);

impl<C: ServerConnection> Between<C> {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(None))
    }

    /// A connection that has answered `first`: the one that was kept, or another if it does not answer.
    pub(crate) async fn answering(
        &self,
        moment: Moment,
        options: &C::Options,
        first: &str,
    ) -> Result<(AdminConnection<C>, Vec<<C::Database as Database>::Row>), sqlx::Error>
    where
        for<'q> sqlx::AssertSqlSafe<&'q str>: sqlx::Execute<'q, C::Database>,
    {
        if moment == Moment::Before
            && let Some(mut kept) = self.take()
            && let Ok(rows) = kept.fetch_all(sqlx::AssertSqlSafe(first)).await
        {
            return Ok((kept, rows));
        }
        let mut line = AdminConnection::connect(options).await?.with_long_timeout();
        let rows = line.fetch_all(sqlx::AssertSqlSafe(first)).await?;
        Ok((line, rows))
    }

    /// The database is put back: keeps the connection for the next test, or closes it for this one.
    pub(crate) async fn keep(&self, moment: Moment, line: AdminConnection<C>) {
        match moment {
            Moment::Before => line.close().await,
            Moment::After => *self.lock() = Some((Handle::current().id(), line)),
        }
    }

    /// What was kept, unless it was on another runtime, which may have ended.
    fn take(&self) -> Option<AdminConnection<C>> {
        let (runtime, line) = self.lock().take()?;
        (runtime == Handle::current().id()).then_some(line)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<(Id, AdminConnection<C>)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<C: ServerConnection> fmt::Debug for Between<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Between")
            .field(&self.lock().is_some())
            .finish()
    }
}
