//! Tests of `#[sqlx::test]`: a database and all migrations in each.

use sea_orm::{ConnectionTrait, DbErr, SqlxSqliteConnector};

async fn work(db: &impl ConnectionTrait) -> Result<(), DbErr> {
    let book = "INSERT INTO book (id, author_id, title) VALUES (1, 1, 'The Dispossessed')";
    let inserted = db.execute_unprepared(book).await?;
    assert_eq!(inserted.rows_affected(), 1);
    Ok(())
}

// Repeated.
#[sqlx::test(migrations = "./migrations")]
async fn test_0(pool: sqlx::SqlitePool) -> Result<(), DbErr> {
    work(&SqlxSqliteConnector::from_sqlx_sqlite_pool(pool)).await
}
