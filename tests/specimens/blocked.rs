//! Phases that block their thread for longer than they have, and then return: each fails where it ends, and teardown
//! runs.

use std::thread::sleep;
use std::time::Duration;

use green_light::prelude::*;
use green_light::wait;

const LONG: Duration = Duration::from_millis(500);

#[fixture]
async fn torn_down(out: Yield<u32>) {
    out.give(1).await;
    tokio::time::sleep(Duration::from_millis(1)).await;
    eprintln!("torn down");
}

#[green_light::test(timeout = "100ms", uses(torn_down))]
fn a_synchronous_body() {
    sleep(LONG);
    eprintln!("it returned");
}

#[green_light::test(timeout = "100ms", uses(torn_down))]
async fn an_asynchronous_body() {
    sleep(LONG);
    eprintln!("it returned");
}

#[green_light::test(timeout = "100ms", uses(torn_down), context = false)]
fn without_a_context() {
    sleep(LONG);
}

#[green_light::test(timeout = "100ms", uses(torn_down), start_paused)]
fn with_a_paused_clock() {
    sleep(LONG);
}

#[green_light::test(timeout = "100ms", uses(torn_down))]
fn a_body_that_waits_after_it() {
    sleep(LONG);
    wait(tokio::time::sleep(Duration::from_secs(3600)));
    unreachable!("it is stopped where it waits");
}

#[green_light::test(timeout = "100ms", uses(torn_down))]
fn a_body_that_panics_after_it() {
    sleep(LONG);
    panic!("its own");
}

#[fixture]
fn slow(torn_down: u32) -> u32 {
    sleep(LONG);
    torn_down
}

#[fixture]
fn never(slow: u32) -> u32 {
    unreachable!("nothing is set up after {slow}");
}

#[green_light::test(timeout = "100ms")]
fn a_set_up(never: u32) {
    unreachable!("{never}");
}

#[green_light::test(timeout = "100ms")]
async fn a_set_up_on_demand(request: &Request, torn_down: u32) {
    assert_eq!(*request.get(slow).await, torn_down);
    tokio::time::sleep(Duration::from_secs(3600)).await;
    unreachable!("its time was up before");
}

#[fixture]
fn slow_to_end(torn_down: u32, request: &Request) -> u32 {
    request.on_teardown(async { sleep(LONG) });
    torn_down
}

#[green_light::test(timeout = "100ms")]
fn a_teardown(slow_to_end: u32) {
    assert_eq!(slow_to_end, 1);
}

#[green_light::test(timeout = "100ms", uses(torn_down))]
fn a_step_of_its_own(request: &Request) {
    request.on_teardown(async { sleep(LONG) });
}

#[green_light::test(timeout = "100ms", uses(torn_down), xfail)]
fn an_expected_one() {
    sleep(LONG);
}

#[green_light::test(timeout = "10m", uses(torn_down))]
fn one_that_has_the_time() {
    sleep(Duration::from_millis(1));
}
