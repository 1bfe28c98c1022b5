//! Diesel runs the migrations itself.

use diesel_async_app::{Error, migrate, pool, titles};
use green_light::prelude::*;

#[fixture(overrides = green_light::fixtures::schema)]
fn schema() -> Schema {
    Schema::run("diesel", async |db| migrate(db.url().expose()).await)
}

#[green_light::test]
async fn the_migrations_have_run(database_url: &str) -> Result<(), Error> {
    let pool = pool(database_url)?;
    assert_eq!(titles(&pool).await?, ["FIRST!"]);
    Ok(())
}
