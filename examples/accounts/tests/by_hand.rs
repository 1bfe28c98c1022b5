//! A test with tokio and a pool alone: each makes a database, and runs all migrations into it.

use accounts::{Refused, balance, open};
use sqlx::{SqlitePool, sqlite::SqlitePoolOptions};

async fn pool() -> SqlitePool {
    // A second connection would have a database of its own, without tables.
    let options = SqlitePoolOptions::new().max_connections(1);
    let pool = options.connect("sqlite::memory:").await.unwrap();
    sqlx::migrate!().run(&pool).await.unwrap();
    pool
}

#[tokio::test]
async fn an_owner_has_one_account() -> Result<(), Refused> {
    let pool = pool().await;
    open(&pool, "ann", 5).await?;
    open(&pool, "ann", 7).await.unwrap_err();
    assert_eq!(balance(&pool, "ann").await?, 5);
    Ok(())
}
