//! Tests with several cases, and what cases give to fixtures.

use green_light::fixtures::backend;
use green_light::prelude::*;

#[fixture(scope = "module")]
fn speed() -> u32 {
    unreachable!("every test here gives one")
}

#[fixture(scope = "module")]
async fn motor(speed: &u32, out: Yield<u32>) {
    out.give(*speed).await;
    eprintln!("motor {speed} stops");
}

#[green_light::test]
#[case(1)]
#[case::faster(2)]
fn a_runs(
    #[case]
    #[from(speed)]
    speed: u32,
    motor: &u32,
) {
    assert_eq!(*motor, speed);
}

#[green_light::test]
fn b_fails_for_one(
    #[values(1, 3)]
    #[from(speed)]
    speed: u32,
    #[values("x")] _name: &str,
    motor: &u32,
) {
    assert_eq!((speed, *motor), (1, 1));
}

fn broken() -> u32 {
    panic!("no such speed");
}

#[green_light::test]
fn c_fails_before_it_runs(
    #[values(broken())]
    #[from(speed)]
    speed: u32,
    motor: &u32,
) {
    assert_eq!(speed, *motor);
}

#[green_light::test(backends(sqlite))]
fn d_fails_for_each_backend(backend: Backend) {
    assert_eq!(backend.name(), "oracle");
}
