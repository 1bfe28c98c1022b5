//! Users who sign up.

use sqlx::PgPool;

pub async fn sign_up(db: &PgPool, name: &str) -> sqlx::Result<i32> {
    let insert = "INSERT INTO users (name) VALUES ($1) RETURNING id";
    sqlx::query_scalar(insert).bind(name).fetch_one(db).await
}

pub async fn count(db: &PgPool) -> sqlx::Result<i64> {
    let count = "SELECT count(*) FROM users";
    sqlx::query_scalar(count).fetch_one(db).await
}
