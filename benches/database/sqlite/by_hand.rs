//! What one would write by hand: a kept connection, begin, work, rollback.

use std::sync::OnceLock;

use sea_orm::{ConnectionTrait, DatabaseConnection, DbErr, SqlxSqliteConnector, TransactionTrait};
use sqlx::sqlite::SqlitePoolOptions;
use tokio::runtime::Runtime;

static KEPT: OnceLock<(Runtime, DatabaseConnection)> = OnceLock::new();

fn kept() -> &'static (Runtime, DatabaseConnection) {
    KEPT.get_or_init(|| {
        let runtime = Runtime::new().expect("a runtime");
        let made = runtime.block_on(async {
            let pool = SqlitePoolOptions::new()
                .max_connections(1)
                .idle_timeout(None)
                .max_lifetime(None)
                .test_before_acquire(false)
                .connect("sqlite::memory:")
                .await?;
            sqlx::migrate!("./migrations").run(&pool).await?;
            Ok::<_, sqlx::Error>(pool)
        });
        let pool = made.expect("a database");
        (runtime, SqlxSqliteConnector::from_sqlx_sqlite_pool(pool))
    })
}

async fn work(db: &impl ConnectionTrait) -> Result<(), DbErr> {
    let book = "INSERT INTO book (id, author_id, title) VALUES (1, 1, 'The Dispossessed')";
    let inserted = db.execute_unprepared(book).await?;
    assert_eq!(inserted.rows_affected(), 1);
    Ok(())
}

// Repeated.
#[test]
fn test_0() -> Result<(), DbErr> {
    let (runtime, db) = kept();
    runtime.block_on(async {
        let transaction = db.begin().await?;
        work(&transaction).await?;
        transaction.rollback().await
    })
}
