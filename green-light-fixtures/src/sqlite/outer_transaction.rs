//! The outer transaction of a test on SQLite.

use sqlx::{
    Executor,
    sqlite::{SqliteConnection, SqliteTransactionManager},
};
use sqlx_core::{sql_str::SqlSafeStr as _, transaction::TransactionManager as _};

/// The transaction depth that sqlx counts while nothing but the outer transaction is open.
pub(crate) const BASE_DEPTH: usize = 2;
/// Takes the write lock at once, and so makes SQLite ask the commit hook even if nothing is written.
pub(crate) const BEGIN: &str = "BEGIN IMMEDIATE";

/// Opens the outer transaction.
pub(crate) async fn begin(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    SqliteTransactionManager::begin(connection, Some(BEGIN.into_sql_str())).await?;
    SqliteTransactionManager::begin(connection, None).await?;
    connection
        .execute("RELEASE _sqlx_savepoint_1")
        .await
        .map(drop)
}
