//! The connection of a test as SeaORM has it, and what its errors mean.

use std::{panic::Location, sync::Arc};

use sea_orm::{ConnAcquireErr, DatabaseConnection, DbErr, RuntimeErr};

use crate::database::test_lease::TestLease;
use crate::error::Error;
use crate::orm;
use crate::sandbox::contention::{connection_busy, has_ended};
use crate::sandbox::lease::Lease;
use crate::session::isolated::IsolatedDb;

/// For `?` in functions that return SeaORM's errors.
impl From<Error> for DbErr {
    fn from(error: Error) -> Self {
        Self::Conn(RuntimeErr::Internal(format!("{error:?}")))
    }
}

impl IsolatedDb {
    /// A connection as applications of SeaORM take it; a disconnected one once the test has ended.
    pub(crate) fn connection(&self) -> DatabaseConnection {
        let mut connection = orm::connection(&self.pool());
        let lease = match self {
            Self::Sandbox(lease) => lease,
            Self::Database(lease) => {
                let token = lease.token.lock().clone();
                connection.set_metric_callback(move |_| {
                    let _alive = &token;
                });
                return connection;
            }
        };
        let (id, monitor, token) = (
            lease.id(),
            Arc::clone(lease.monitor()),
            lease.token.lock().clone(),
        );
        // Every clone of the connection, and every transaction and stream begun on it, holds this
        // closure. So the token lives exactly as long as something can still reach the database.
        connection.set_metric_callback(move |info| {
            let _alive = &token;
            monitor.ran_prepared(id, &info.statement.sql, info.elapsed, info.failed);
        });
        connection
    }

    /// Makes an error about the connection say who holds it.
    pub(crate) fn explain(&self, error: DbErr) -> DbErr {
        match self {
            Self::Sandbox(lease) => explain(error, lease),
            Self::Database(lease) => explain_none_free(error, lease),
        }
    }

    /// Notes where the holder of the connection began its transaction.
    pub(crate) fn begun_at(&self, place: &'static Location<'static>) {
        if let Some(lease) = self.sandbox() {
            lease.monitor().begun_at(place);
        }
    }
}

/// Says who holds the connection, in place of "pool timed out".
fn explain(error: DbErr, lease: &Lease) -> DbErr {
    match error {
        DbErr::ConnectionAcquire(ConnAcquireErr::Timeout) => {
            let holder = lease.monitor().holder();
            let server_end = lease.server_end().filter(|_| holder.is_none());
            let text = server_end.unwrap_or_else(|| connection_busy(lease.timeouts(), holder));
            lease.monitor().mark_reported(lease.id());
            internal(text)
        }
        DbErr::ConnectionAcquire(ConnAcquireErr::ConnectionClosed)
            if lease.token.lock().is_none() =>
        {
            internal(has_ended(lease.test()))
        }
        other => other,
    }
}

/// Says how many connections there are, in place of "pool timed out", and how many are needed where the server has none.
fn explain_none_free(error: DbErr, lease: &TestLease) -> DbErr {
    match error {
        DbErr::ConnectionAcquire(ConnAcquireErr::Timeout) => {
            let text = lease.server_end().or_else(|| none_free(lease));
            text.map_or(error, internal)
        }
        DbErr::ConnectionAcquire(ConnAcquireErr::ConnectionClosed)
            if lease.token.lock().is_none() =>
        {
            internal(has_ended(lease.test()))
        }
        DbErr::Conn(RuntimeErr::SqlxError(cause)) => {
            match lease.pool().no_connection(Some(&cause)) {
                Some(text) => internal(text),
                None => DbErr::Conn(RuntimeErr::SqlxError(cause)),
            }
        }
        other => other,
    }
}

/// What it means that no connection was free for as long as a query waits for one, in words.
fn none_free(lease: &TestLease) -> Option<String> {
    let pool = lease.pool();
    let (open, most) = orm::size(&pool)?;
    let seconds = lease.timeouts.connection.as_secs_f64();
    if open < most
        && let Some(refusal) = pool.no_connection(None)
    {
        return Some(format!(
            "no connection could be opened within {seconds:.1} s: the server did not answer, or {refusal}"
        ));
    }
    Some(format!(
        "none of the {most} connections of this test was free within {seconds:.1} s\n  \
         help: end transactions and streams before others are begun, or let fewer tasks \
         query at once; `session.url()` is for a pool of any size"
    ))
}

fn internal(text: String) -> DbErr {
    DbErr::Conn(RuntimeErr::Internal(text))
}
