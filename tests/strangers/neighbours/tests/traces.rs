//! `tracing_test`, which brings functions into the body.

use green_light::prelude::*;
use tracing_test::traced_test;

#[fixture]
fn number() -> u32 {
    7
}

#[traced_test]
#[green_light::test]
async fn above(number: u32) {
    tracing::info!("seen {number}");
    assert!(logs_contain("seen 7"));
}

#[green_light::test]
#[traced_test]
async fn below(session: Session, number: &u32) {
    session.ping().await.unwrap();
    tracing::info!("seen {number}");
    assert!(logs_contain("seen 7"));
}

#[green_light::test]
#[traced_test]
fn below_a_sync_test(number: u32) {
    tracing::info!("seen {number}");
    assert!(logs_contain("seen 7"));
}
