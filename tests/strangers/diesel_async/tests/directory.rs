//! The directory of Diesel's migrations is the schema; the tests use the pool of the application.

use diesel_async_app::{Error, Pool, add, pool as connect, titles};
use green_light::prelude::*;

#[fixture(overrides = green_light::fixtures::schema)]
fn schema() -> Schema {
    Schema::sql_dir("migrations").then(Schema::run("rows", async |db| {
        let pool = connect(db.url().expose())?;
        let added = add(&pool, &["seeded"]).await;
        pool.close();
        added
    }))
}

#[fixture]
fn pool(database_url: &str) -> Result<Pool, Error> {
    connect(database_url)
}

#[green_light::test]
async fn finds_what_the_migrations_and_the_seed_have_made(pool: &Pool) -> Result<(), Error> {
    assert_eq!(titles(pool).await?, ["FIRST!", "seeded"]);
    Ok(())
}

#[green_light::test]
async fn adds_a_book(pool: &Pool) -> Result<(), Error> {
    add(pool, &["third"]).await?;
    assert_eq!(titles(pool).await?, ["FIRST!", "seeded", "third"]);
    Ok(())
}

#[green_light::test]
async fn a_title_is_there_once(pool: &Pool) -> Result<(), Error> {
    add(pool, &["third"]).await?;
    let error = add(pool, &["third"]).await.unwrap_err();
    assert!(error.to_string().contains("book_title_key"), "{error}");
    Ok(())
}
