//! Tests of `#[sqlx::test]`: a database and all migrations in each.

use bench::tick;
use sea_orm::{ConnectionTrait, DbErr, SqlxPostgresConnector, Statement};

async fn work(db: &impl ConnectionTrait) -> Result<(), DbErr> {
    let sql = "INSERT INTO book (id, author_id, title) VALUES (1, 1, $1)";
    let title = ["The Dispossessed".into()];
    let book = Statement::from_sql_and_values(db.get_database_backend(), sql, title);
    assert_eq!(db.execute_raw(book).await?.rows_affected(), 1);
    Ok(())
}

// Repeated.
#[sqlx::test(migrations = "./migrations")]
async fn one_0(pool: sqlx::PgPool) -> Result<(), DbErr> {
    tick();
    let db = SqlxPostgresConnector::from_sqlx_postgres_pool(pool);
    work(&db).await
}
