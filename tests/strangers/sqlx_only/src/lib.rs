//! A guest book, as an application on sqlx has it.

use std::sync::OnceLock;

use sqlx::{MySqlPool, PgPool, SqlitePool};

/// The pool of the application, connected at its start.
static POOL: OnceLock<PgPool> = OnceLock::new();

/// Connects the application to its database, once.
pub async fn connect(url: &str) -> sqlx::Result<&'static PgPool> {
    let pool = PgPool::connect(url).await?;
    Ok(POOL.get_or_init(|| pool))
}

/// The pool that [`connect`] made.
pub fn pool() -> &'static PgPool {
    POOL.get().expect("`connect` comes first")
}

/// Signs two guests in, or none.
pub async fn sign_in_two(pool: &PgPool, first: &str, second: &str) -> sqlx::Result<()> {
    let mut transaction = pool.begin().await?;
    for (id, name) in [(1_i64, first), (2, second)] {
        sqlx::query("INSERT INTO guest (id, name) VALUES ($1, $2)")
            .bind(id)
            .bind(name)
            .execute(&mut *transaction)
            .await?;
    }
    transaction.commit().await
}

/// How many guests there are.
pub async fn guests(pool: &PgPool) -> sqlx::Result<i64> {
    let count = sqlx::query_scalar("SELECT count(*) FROM guest");
    count.fetch_one(pool).await
}

/// Signs a guest in, on MySQL.
pub async fn sign_in_on_mysql(pool: &MySqlPool, id: i64, name: &str) -> sqlx::Result<u64> {
    let insert = sqlx::query("INSERT INTO guest (id, name) VALUES (?, ?)");
    let done = insert.bind(id).bind(name).execute(pool).await?;
    Ok(done.rows_affected())
}

/// Signs a guest in, on SQLite.
pub async fn sign_in_on_sqlite(pool: &SqlitePool, id: i64, name: &str) -> sqlx::Result<u64> {
    let insert = sqlx::query("INSERT INTO guest (id, name) VALUES (?, ?)");
    let done = insert.bind(id).bind(name).execute(pool).await?;
    Ok(done.rows_affected())
}
