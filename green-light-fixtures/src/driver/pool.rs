//! The one-connection pool of a slot, whichever driver it belongs to.

use std::{sync::Arc, time::Duration};

#[cfg(feature = "mysql")]
use sqlx::MySqlPool;
#[cfg(feature = "postgres")]
use sqlx::PgPool;
#[cfg(feature = "sqlite")]
use sqlx::sqlite::SqlitePool;

use crate::database_pool::DatabasePool;
use crate::driver::monitor::Guard;
use crate::driver::restart;
use crate::error::{Error, Kind};

/// How the outer transaction of a test ended.
#[derive(Debug)]
pub(crate) enum Ended {
    /// Rolled back, and the connection looks as it did when new.
    Clean,
    /// Rolled back, but the database may have changed with its connection: it must not be used again.
    Changed,
    /// Rolled back, and the database is as it was, but the session may not be: the next test needs
    /// another one.
    Worn,
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
    #[cfg(feature = "sqlite")]
    Sqlite {
        pool: SqlitePool,
        opening: Arc<crate::sqlite::sandbox::Opening>,
    },
    #[cfg(feature = "postgres")]
    Postgres {
        pool: PgPool,
        opening: Arc<crate::postgres::sandbox::Opening>,
    },
    #[cfg(feature = "mysql")]
    MySql {
        pool: MySqlPool,
        opening: Arc<crate::mysql::sandbox::Opening>,
    },
}

impl Pool {
    /// The pool without what the sandbox knows of it.
    pub(crate) fn driver_pool(&self) -> DatabasePool {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite { pool, .. } => DatabasePool::new(pool.clone()),
            #[cfg(feature = "postgres")]
            Self::Postgres { pool, .. } => DatabasePool::new(pool.clone()),
            #[cfg(feature = "mysql")]
            Self::MySql { pool, .. } => DatabasePool::new(pool.clone()),
        }
    }

    /// The savepoint that has to stay the innermost, if there is one.
    pub(crate) fn mark(&self) -> Option<Arc<str>> {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite { .. } => None,
            #[cfg(feature = "postgres")]
            Self::Postgres { opening, .. } => Some(opening.mark.name()),
            #[cfg(feature = "mysql")]
            Self::MySql { opening, .. } => Some(opening.mark().name()),
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
    /// Takes `grace` at most. With `hands_over` the connection leaves the pool, which is closed:
    /// [`renew`](Self::renew) makes another one.
    pub(crate) async fn end(&self, guard: &Guard, grace: Duration, hands_over: bool) -> Ended {
        let end = async {
            match self {
                #[cfg(feature = "sqlite")]
                Self::Sqlite { pool, opening } => {
                    let handover = hands_over.then_some(&opening.handover);
                    restart::end(pool, guard, &opening.ending, handover).await
                }
                #[cfg(feature = "postgres")]
                Self::Postgres { pool, opening } => {
                    let handover = hands_over.then_some(&opening.handover);
                    restart::end(pool, guard, &opening.ending, handover).await
                }
                #[cfg(feature = "mysql")]
                Self::MySql { pool, opening } => {
                    let handover = hands_over.then_some(&opening.handover);
                    restart::end(pool, guard, &opening.ending, handover).await
                }
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

    /// Gives the slot another pool, of which no test has a clone, over the connection that was handed
    /// over or a new one.
    pub(crate) async fn renew(&mut self, guard: &Guard) -> Result<(), Error> {
        self.close();
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite { pool, opening } => *pool = opening.pool().await?,
            #[cfg(feature = "postgres")]
            Self::Postgres { pool, opening } => *pool = opening.pool().await?,
            #[cfg(feature = "mysql")]
            Self::MySql { pool, opening } => *pool = opening.pool().await?,
        }
        match guard.failure() {
            None => Ok(()),
            Some(failure) => Err(Error::new(Kind::Connection, failure)),
        }
    }

    /// Whether the options of the pool lead to a stand-in instead of the database.
    pub(crate) fn is_shielded(&self) -> bool {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite { .. } => true,
            #[cfg(feature = "postgres")]
            Self::Postgres { .. } => crate::postgres::sandbox::is_shielded(),
            #[cfg(feature = "mysql")]
            Self::MySql { .. } => crate::mysql::sandbox::is_shielded(),
        }
    }

    /// Ends what still runs in the slot's own database. On SQLite this does nothing; the guard does it.
    async fn cut(&self) -> Result<(), sqlx::Error> {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite { .. } => Ok(()),
            #[cfg(feature = "postgres")]
            Self::Postgres { opening, .. } => crate::postgres::sandbox::cut(&opening.real).await,
            #[cfg(feature = "mysql")]
            Self::MySql { opening, .. } => crate::mysql::sandbox::cut(&opening.real).await,
        }
    }
}
