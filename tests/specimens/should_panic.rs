//! With `#[should_panic]` only the body may panic.

use green_light::prelude::*;

#[fixture]
fn broken() -> u32 {
    panic!("not the body");
}

#[fixture]
async fn breaks_later(out: Yield<u32>) {
    out.give(1).await;
    panic!("not the body either");
}

#[green_light::test]
#[should_panic]
fn a_set_up_error_fails(broken: u32) {
    unreachable!("{broken}");
}

#[green_light::test]
#[should_panic(expected = "the body")]
fn a_teardown_error_fails(breaks_later: u32) {
    panic!("the body panics: {breaks_later}");
}

#[green_light::test]
#[should_panic(expected = "as it should")]
async fn a_panicking_body_passes() {
    tokio::task::yield_now().await;
    panic!("it panics as it should");
}

#[green_light::test]
#[should_panic(expected = "something else")]
fn another_message_fails() {
    panic!("it panics");
}

#[green_light::test]
#[should_panic]
fn no_panic_fails() {}
