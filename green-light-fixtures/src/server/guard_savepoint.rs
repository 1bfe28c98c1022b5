//! What the kept connections of slots on all kinds of servers share.

use std::{
    hash::{BuildHasher as _, RandomState},
    sync::Arc,
};

use sqlx::Connection;
use sqlx_core::transaction::TransactionManager as _;

use crate::database_pool::PoolDriver;
use crate::driver::sandbox::depth;

/// The depth that sqlx counts while nothing but the outer transaction is open. One use of the
/// connection can lose two levels for each `begin` that fails in it.
pub(crate) const BASE_DEPTH: usize = 8;
/// How many results of cancelled messages may wait to be read.
const PENDING: usize = 1_000;

/// The guard savepoint of one slot. Its name cannot be guessed, so no text of a test sets or releases it.
#[derive(Clone, Debug)]
pub(crate) struct GuardSavepoint {
    name: Arc<str>,
    pub(crate) set: Arc<str>,
    /// Releases it and sets it again; an error if the outer transaction has ended.
    pub(crate) renew: Arc<str>,
}

impl GuardSavepoint {
    pub(crate) fn new() -> Self {
        let random = RandomState::new().hash_one(std::process::id());
        let name = format!("green_light_{random:016x}");
        Self {
            name: name.as_str().into(),
            set: format!("SAVEPOINT {name}").into(),
            renew: format!("RELEASE SAVEPOINT {name}; SAVEPOINT {name}").into(),
        }
    }

    /// The name, for what a test asks green-light itself to do to savepoints.
    pub(crate) fn name(&self) -> Arc<str> {
        Arc::clone(&self.name)
    }
}

/// Reads the results of messages that were cancelled, and ignores their errors.
pub(crate) async fn discard_pending<C: Connection>(connection: &mut C) -> Result<(), sqlx::Error> {
    for _ in 0..PENDING {
        match connection.flush().await {
            Err(sqlx::Error::Database(_)) => {}
            other => return other,
        }
    }
    connection.flush().await
}

/// Makes sqlx count up to [`BASE_DEPTH`], above a transaction that is open.
pub(crate) async fn raise_depth<DB: PoolDriver>(
    connection: &mut DB::Connection,
) -> Result<(), sqlx::Error> {
    let first = depth::<DB>(connection);
    if first == BASE_DEPTH {
        return Ok(());
    }
    while depth::<DB>(connection) < BASE_DEPTH {
        DB::TransactionManager::begin(connection, None).await?;
    }
    let release = format!("RELEASE SAVEPOINT _sqlx_savepoint_{first}");
    DB::execute(connection, release).await
}
