//! refinery runs the migrations, once for all tests.

use green_light::prelude::*;
use refinery_app::{Error, migrate, names, pool as connect, welcome};

#[fixture(overrides = green_light::fixtures::schema)]
fn schema() -> Schema {
    Schema::run("refinery", async |db| migrate(db.url().expose()).await)
}

#[green_light::test]
async fn a_new_guest_comes_last(database_url: &str) -> Result<(), Error> {
    let pool = connect(database_url)?;
    welcome(&pool, "Bob").await?;
    assert_eq!(names(&pool).await?, ["Ann", "Bob"]);
    Ok(())
}

#[green_light::test]
async fn nobody_came_with_another_test(database_url: &str) -> Result<(), Error> {
    let pool = connect(database_url)?;
    assert_eq!(names(&pool).await?, ["Ann"]);
    Ok(())
}
