//! The coroutine context of a test.

use std::time::Duration;

use green_light::context::is_active;
use green_light::prelude::*;
use green_light::{try_wait, wait};

#[fixture]
fn from_a_synchronous_fixture() -> u32 {
    wait(async {
        tokio::time::sleep(Duration::from_millis(1)).await;
        5
    })
}

#[green_light::test]
fn synchronous_fixtures_and_tests_wait(from_a_synchronous_fixture: u32) {
    assert_eq!(from_a_synchronous_fixture, 5);
    assert_eq!(wait(async { 6 }), 6);
    assert!(is_active());
}

#[green_light::test]
async fn synchronous_code_below_an_asynchronous_test_waits() {
    tokio::task::yield_now().await;
    let sum: u32 = (1..=3).map(|n| wait(async move { n })).sum();
    assert_eq!(sum, 6);
}

#[green_light::test(context = false)]
fn a_test_without_a_context_is_told_so() {
    assert!(!is_active());
    let error = try_wait(async {}).unwrap_err();
    assert!(
        error.to_string().contains("no green-light context"),
        "{error}"
    );
}

struct WaitsInDrop(tokio::sync::mpsc::UnboundedSender<&'static str>);

impl Drop for WaitsInDrop {
    fn drop(&mut self) {
        wait(tokio::time::sleep(Duration::from_millis(1)));
        let _ = self.0.send("dropped");
    }
}

#[fixture]
async fn waits_in_drop(out: Yield<WaitsInDrop>) {
    let (sender, mut receiver) = tokio::sync::mpsc::unbounded_channel();
    out.give(WaitsInDrop(sender.clone())).await;
    assert_eq!(receiver.recv().await, Some("body"));
    assert!(
        receiver.try_recv().is_err(),
        "the value is dropped after this"
    );
}

#[green_light::test]
fn the_drop_of_a_fixture_waits(waits_in_drop: &WaitsInDrop) {
    let _ = waits_in_drop.0.send("body");
}
