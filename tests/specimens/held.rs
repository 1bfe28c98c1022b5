//! Tests that have their database for as long as a variable says, and that a command looks at meanwhile.

use std::time::Duration;

use green_light::prelude::*;

#[fixture(overrides = green_light::fixtures::schema, scope = "process")]
fn schema() -> Schema {
    Schema::sql("CREATE TABLE evidence (x INT); INSERT INTO evidence VALUES (7)")
}

#[green_light::test(isolation = database, backends(postgres, mysql), uses(session))]
async fn uses_it_for_a_while() {
    let seconds = std::env::var("SPECIMEN_SECONDS").ok();
    let seconds = seconds.and_then(|seconds| seconds.parse().ok());
    tokio::time::sleep(Duration::from_secs(seconds.unwrap_or_default())).await;
}
