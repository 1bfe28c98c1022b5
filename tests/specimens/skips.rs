//! Tests and fixtures that skip, and what depends on them.

use green_light::prelude::*;
use green_light::skip;

#[fixture(scope = "module")]
async fn docker() -> u32 {
    skip("needs Docker")
}

#[fixture]
fn container(docker: &u32) -> u32 {
    *docker
}

#[fixture]
async fn torn_down(out: Yield<u32>) {
    out.give(1).await;
    eprintln!("torn down");
}

#[fixture]
async fn does_not_end(out: Yield<u32>) -> Result<(), String> {
    out.give(1).await;
    Err("it does not end".to_owned())
}

#[green_light::test(uses(torn_down))]
fn a_fixture_is_skipped(container: u32) {
    unreachable!("{container}");
}

#[green_light::test]
fn b_and_so_is_another_test(docker: &u32) {
    unreachable!("{docker}");
}

#[green_light::test(uses(torn_down))]
async fn c_body() {
    tokio::task::yield_now().await;
    skip(format_args!("only on {}", "Sundays"));
}

#[green_light::test]
#[should_panic(expected = "a panic that does not come")]
fn d_body_that_should_panic() {
    skip("no reason");
}

#[green_light::test(uses(does_not_end))]
fn e_teardown_error_fails_all_the_same() {
    skip("no reason");
}

#[green_light::test(xfail)]
fn f_body_that_is_expected_to_fail() {
    skip("no reason");
}
