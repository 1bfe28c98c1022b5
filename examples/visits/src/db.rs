//! The pool of the process.

use sqlx::PgPool;
use tokio::sync::OnceCell;

static POOL: OnceCell<PgPool> = OnceCell::const_new();

/// Connects to the database, once for the process.
///
/// # Errors
///
/// If there is no such database.
pub async fn connect(url: &str) -> sqlx::Result<()> {
    POOL.get_or_try_init(|| PgPool::connect(url))
        .await
        .map(drop)
}

/// The pool, for all code of the process.
///
/// # Panics
///
/// If [`connect`] has not been called.
pub fn pool() -> &'static PgPool {
    POOL.get().expect("the pool is connected at the start")
}
