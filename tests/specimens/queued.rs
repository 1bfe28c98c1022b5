//! Tests that wait for each other: for the one database that they share, and for the few connections of a server.

use std::time::Duration;

use green_light::prelude::*;

#[fixture(overrides = green_light::fixtures::schema, scope = "process")]
fn schema() -> Schema {
    Schema::sql("CREATE TABLE turn (x INT)")
}

async fn hold() {
    tokio::time::sleep(Duration::from_millis(50)).await;
}

#[green_light::test(isolation = shared, uses(session))]
async fn a_shares() {
    hold().await;
}

#[green_light::test(isolation = shared, uses(session))]
async fn b_shares() {
    hold().await;
}

#[green_light::test(isolation = database, backends(postgres), uses(session))]
async fn c_has_connections() {
    hold().await;
}

#[green_light::test(isolation = database, backends(postgres), uses(session))]
async fn d_has_connections() {
    hold().await;
}
