//! Tests that are expected to fail.

use green_light::prelude::*;

#[fixture]
fn broken() -> u32 {
    panic!("a fixture may not");
}

#[fixture]
async fn does_not_end(out: Yield<u32>) -> Result<(), String> {
    out.give(1).await;
    Err("nor when it ends".to_owned())
}

#[green_light::test(xfail)]
fn a_failing_body_passes() {
    panic!("as expected");
}

#[green_light::test(xfail)]
fn b_failing_result_passes() -> Result<(), String> {
    Err("as expected".to_owned())
}

#[green_light::test(xfail)]
fn c_passing_body_is_told() {}

#[green_light::test(xfail = "strict")]
fn d_passing_body_fails() {}

#[green_light::test(xfail = "strict")]
async fn e_failing_body_passes() {
    tokio::task::yield_now().await;
    panic!("as expected");
}

#[green_light::test(xfail)]
fn f_failing_fixture_fails(broken: u32) {
    unreachable!("{broken}");
}

#[green_light::test(xfail)]
fn g_failing_teardown_fails(does_not_end: u32) {
    assert_eq!(does_not_end, 2);
}

#[green_light::test(xfail, timeout = "300ms")]
async fn h_slow_body_passes() {
    std::future::pending::<()>().await;
}
