//! Each test has a database of its own, by its URL, and connects with the versions of the application.

use std::{env, process::Command};

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

/// The application connects by a URL of its own, to a database without tables; run by the test below.
#[green_light::test]
#[ignore = "fails on purpose"]
async fn asks_another_database(session: &Session) -> Result<(), DbErr> {
    assert_eq!(session.backend(), Backend::Postgres);
    let db = Database::connect(env::var("SHOP_URL").unwrap()).await?;
    guests(&db).await.map(drop)
}

#[green_light::test]
fn both_versions_are_named_if_a_table_is_missing(database_url: &str) {
    let (server, _) = database_url.rsplit_once('/').unwrap();
    let output = Command::new(env::current_exe().unwrap())
        .args(["asks_another_database", "--exact", "--ignored"])
        .env("SHOP_URL", format!("{server}/postgres"))
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    for part in [
        "relation \"guest\" does not exist",
        "`Cargo.lock` has sea-orm 1.1.",
        " beside sea-orm 2.",
        "the URL of the fixture `database_url`",
    ] {
        assert!(text.contains(part), "`{part}` is not in {text}");
    }
}
