//! The one-connection pool of a slot, whichever driver it belongs to.

use std::time::Duration;

use sea_orm::{DatabaseConnection, DbBackend};
#[cfg(feature = "sqlite")]
use sqlx::sqlite::SqlitePool;

#[cfg(feature = "sqlite")]
use super::{sqlite, sqlite_ending::Ending};
use crate::sandbox::Guard;

/// How the outer transaction of a test ended.
#[derive(Debug)]
pub(crate) enum Ended {
    /// Rolled back, and the connection looks as it did when new.
    Clean,
    /// Rolled back, but the connection or its schema has changed: it must not be used again.
    Changed,
    /// A commit would have failed on these rows; rolled back.
    Violated(Vec<String>),
    /// The application closed the pool, and the connection with it.
    Closed,
    /// The connection was not given back in time.
    Held,
    /// The outer transaction was not there any more, as the guard knows.
    Lost,
    /// The database did not do as it was told.
    Failed(sqlx::Error),
}

/// A guarded pool of one connection.
#[derive(Debug)]
pub(crate) enum Pool {
    /// With the statements that end a test.
    #[cfg(feature = "sqlite")]
    Sqlite { pool: SqlitePool, ending: Ending },
}

impl Pool {
    /// The pool as SeaORM sees it.
    pub(crate) fn connection(&self) -> DatabaseConnection {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite { pool, .. } => sqlite::connection(pool),
        }
    }

    /// Refuses new acquisitions from here on; a connection that is out is closed when it comes back.
    pub(crate) fn close(&self) {
        match self {
            // Waiting for the returned future would mean waiting for whoever holds the connection.
            #[cfg(feature = "sqlite")]
            Self::Sqlite { pool, .. } => drop(pool.close()),
        }
    }

    /// Waits for the connection, rolls back the outer transaction and puts the connection back.
    ///
    /// Takes `grace` at most.
    pub(crate) async fn end(&self, guard: &Guard, grace: Duration) -> Ended {
        let end = async {
            match self {
                #[cfg(feature = "sqlite")]
                Self::Sqlite { pool, ending } => sqlite::end(pool, guard, ending).await,
            }
        };
        tokio::time::timeout(grace, end)
            .await
            .unwrap_or(Ended::Held)
    }
}

/// Refuses new acquisitions from a pool that green-light opened, and waits for the connections out.
///
/// The first happens at once, the second when the returned future is awaited.
pub(crate) fn close(connection: &DatabaseConnection) -> impl Future<Output = ()> {
    let pool = match connection.get_database_backend() {
        #[cfg(feature = "sqlite")]
        DbBackend::Sqlite => Some(connection.get_sqlite_connection_pool()),
        _ => None,
    };
    let closing = pool.map(SqlitePool::close);
    async move {
        if let Some(closing) = closing {
            closing.await;
        }
    }
}
