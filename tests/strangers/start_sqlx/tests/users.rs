//! The tests that the guide shows.

use green_light::prelude::*;
use shop::{count, sign_up};
use sqlx::PgPool;

#[fixture(overrides = green_light::fixtures::schema)]
fn schema() -> Schema {
    Schema::sqlx(sqlx::migrate!())
}

#[fixture]
async fn ann(pg_pool: &PgPool) -> sqlx::Result<i32> {
    sign_up(pg_pool, "ann").await
}

#[green_light::test]
async fn a_name_is_taken_once(pg_pool: PgPool, ann: i32) -> sqlx::Result<()> {
    assert!(ann > 0);
    assert!(sign_up(&pg_pool, "ann").await.is_err());
    assert_eq!(count(&pg_pool).await?, 1);
    Ok(())
}

#[green_light::test]
async fn the_next_test_finds_no_users(pg_pool: PgPool) -> sqlx::Result<()> {
    assert_eq!(count(&pg_pool).await?, 0);
    Ok(())
}
