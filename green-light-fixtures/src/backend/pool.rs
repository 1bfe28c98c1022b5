//! The one-connection pool of a slot, whichever driver it belongs to.

use std::{sync::Arc, time::Duration};

#[cfg(feature = "mysql")]
use sqlx::MySqlPool;
#[cfg(feature = "postgres")]
use sqlx::PgPool;
#[cfg(feature = "sqlite")]
use sqlx::sqlite::SqlitePool;

#[cfg(feature = "_server")]
use super::kept::Mark;
#[cfg(feature = "sqlite")]
use super::sqlite_ending;
use super::{
    driver_pool::DriverPool,
    restart::{self, Known},
};
#[cfg(feature = "mysql")]
use super::{mysql, mysql_ending};
#[cfg(feature = "postgres")]
use super::{postgres, postgres_ending};
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
    /// With the statements that end a test, once they are known.
    #[cfg(feature = "sqlite")]
    Sqlite {
        pool: SqlitePool,
        ending: Known<sqlite_ending::Ending>,
    },
    /// With the statements that end a test, once they are known.
    #[cfg(feature = "postgres")]
    Postgres {
        pool: PgPool,
        ending: Known<postgres_ending::Ending>,
        mark: Mark,
    },
    /// With the statements that end a test, once they are known.
    #[cfg(feature = "mysql")]
    MySql {
        pool: MySqlPool,
        ending: Known<mysql_ending::Ending>,
        mark: Mark,
    },
}

impl Pool {
    /// The pool without what the sandbox knows of it.
    pub(crate) fn driver_pool(&self) -> DriverPool {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite { pool, .. } => DriverPool::Sqlite(pool.clone()),
            #[cfg(feature = "postgres")]
            Self::Postgres { pool, .. } => DriverPool::Postgres(pool.clone()),
            #[cfg(feature = "mysql")]
            Self::MySql { pool, .. } => DriverPool::MySql(pool.clone()),
        }
    }

    /// The savepoint that has to stay the innermost, if there is one.
    pub(crate) fn mark(&self) -> Option<Arc<str>> {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite { .. } => None,
            #[cfg(feature = "postgres")]
            Self::Postgres { mark, .. } => Some(mark.name()),
            #[cfg(feature = "mysql")]
            Self::MySql { mark, .. } => Some(mark.name()),
        }
    }

    /// Refuses new acquisitions from here on; a connection that is out is closed when it comes back.
    pub(crate) fn close(&self) {
        match self {
            // Waiting for the returned future would mean waiting for whoever holds the connection.
            #[cfg(feature = "sqlite")]
            Self::Sqlite { pool, .. } => drop(pool.close()),
            #[cfg(feature = "postgres")]
            Self::Postgres { pool, .. } => drop(pool.close()),
            #[cfg(feature = "mysql")]
            Self::MySql { pool, .. } => drop(pool.close()),
        }
    }

    /// Waits for the connection, rolls back the outer transaction and puts the connection back.
    ///
    /// Takes `grace` at most.
    pub(crate) async fn end(&self, guard: &Guard, grace: Duration) -> Ended {
        let end = async {
            match self {
                #[cfg(feature = "sqlite")]
                Self::Sqlite { pool, ending } => restart::end(pool, guard, ending).await,
                #[cfg(feature = "postgres")]
                Self::Postgres { pool, ending, .. } => restart::end(pool, guard, ending).await,
                #[cfg(feature = "mysql")]
                Self::MySql { pool, ending, .. } => restart::end(pool, guard, ending).await,
            }
        };
        let ended = tokio::time::timeout(grace, end)
            .await
            .unwrap_or(Ended::Held);
        if matches!(ended, Ended::Held) {
            // If the server does not answer either, there is nothing more to be done about it.
            let _ = tokio::time::timeout(grace, self.cut()).await;
        }
        ended
    }

    /// Ends what still runs in the slot's own database. SQLite is told by the guard.
    async fn cut(&self) -> Result<(), sqlx::Error> {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite { .. } => Ok(()),
            #[cfg(feature = "postgres")]
            Self::Postgres { pool, .. } => postgres::cut(pool).await,
            #[cfg(feature = "mysql")]
            Self::MySql { pool, .. } => mysql::cut(pool).await,
        }
    }
}
