//! Each test has a database of its own, by its URL, and connects with the versions of the application.

use green_light::prelude::*;
use older::{guests, guests_by_sqlx, sign_in};
use sea_orm::{Database, DatabaseConnection, DbErr};
use sqlx::PgPool;

#[fixture(overrides = green_light::fixtures::schema)]
fn schema() -> Schema {
    Schema::sql("CREATE TABLE guest (id BIGSERIAL PRIMARY KEY, name TEXT NOT NULL UNIQUE)")
}

#[fixture]
async fn db(database_url: &str, out: Yield<DatabaseConnection>) -> Result<(), DbErr> {
    let db = Database::connect(database_url).await?;
    out.give(db.clone()).await;
    db.close().await
}

#[fixture]
async fn pool(database_url: &str, out: Yield<PgPool>) -> sqlx::Result<()> {
    let pool = PgPool::connect(database_url).await?;
    out.give(pool.clone()).await;
    pool.close().await;
    Ok(())
}

#[green_light::test]
async fn one_signs_in(db: &DatabaseConnection) -> Result<(), DbErr> {
    assert_eq!(sign_in(db, "ann").await?.id, 1);
    assert_eq!(guests(db).await?, 1);
    Ok(())
}

#[green_light::test]
async fn another_one_signs_in(db: DatabaseConnection, pool: PgPool) -> Result<(), DbErr> {
    sign_in(&db, "ann").await?;
    assert_eq!(guests_by_sqlx(&pool).await.unwrap(), 1);
    Ok(())
}
