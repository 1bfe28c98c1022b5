//! Fixtures for `GREEN_LIGHT_SHOW=fixtures` and `=durations`.

use std::time::Duration;

use green_light::prelude::*;

/// Takes a while.
///
/// This paragraph is not listed.
#[fixture(scope = "process")]
async fn slow(out: Yield<u32>) {
    tokio::time::sleep(Duration::from_millis(20)).await;
    out.give(1).await;
}

#[fixture(autouse)]
fn quick() {}

mod inner {
    use green_light::prelude::*;

    /// Takes its place.
    #[fixture(overrides = super::slow, scope = "process")]
    fn slow() -> u32 {
        2
    }

    #[green_light::test]
    fn gets_the_override(slow: &u32) {
        assert_eq!(*slow, 2);
    }
}

#[green_light::test]
fn waits(slow: &u32) {
    assert_eq!(*slow, 1);
}

#[green_light::test]
#[should_panic(expected = "in the body")]
fn panics() {
    panic!("in the body, and only there");
}

#[green_light::test]
#[should_panic]
fn panics_somehow() {
    panic!("in the body");
}
