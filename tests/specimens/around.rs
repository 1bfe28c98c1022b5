//! Around fixtures that do not let the test end: teardown runs all the same.

use std::time::Duration;

use green_light::prelude::*;

#[fixture]
async fn torn_down(out: Yield<u32>) {
    out.give(1).await;
    tokio::time::sleep(Duration::from_millis(1)).await;
    eprintln!("torn down");
}

#[fixture(around)]
async fn gives_up(next: Next<'_>) -> Outcome {
    match tokio::time::timeout(Duration::from_millis(300), next.run()).await {
        Ok(outcome) => outcome,
        Err(_) => Outcome::failed("gave up waiting"),
    }
}

#[fixture(around)]
async fn refuses(next: Next<'_>) -> Outcome {
    drop(next);
    Outcome::failed("not today")
}

#[green_light::test(uses(gives_up, torn_down))]
async fn a_body_is_dropped() {
    tokio::time::sleep(Duration::from_secs(3600)).await;
    eprintln!("never printed");
}

#[green_light::test(uses(refuses, torn_down))]
fn nothing_is_set_up() {
    eprintln!("never printed");
}

#[green_light::test(uses(gives_up))]
fn a_test_in_time_passes(torn_down: u32) {
    assert_eq!(torn_down, 1);
}
