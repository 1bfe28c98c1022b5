//! green-light runs the files of refinery, in the order of their versions.

use green_light::prelude::*;
use refinery_app::{Error, names, pool as connect};

#[fixture(overrides = green_light::fixtures::schema)]
fn schema() -> Schema {
    Schema::sql_dir("migrations")
}

#[green_light::test]
async fn the_tenth_migration_comes_last(database_url: &str) -> Result<(), Error> {
    let pool = connect(database_url)?;
    assert_eq!(names(&pool).await?, ["Ann"]);
    Ok(())
}
