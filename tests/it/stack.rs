//! The stack that tests and fixtures run on is that of their thread, for code that measures it.

use std::env;
use std::hint::black_box;
use std::process::Command;
use std::thread;

use green_light::prelude::*;
use green_light::{context::run_sync, wait};
use proptest::prelude::{ProptestConfig, proptest};
use tokio::task::{spawn_local, yield_now};

const LITTLE: usize = 64 << 10;

/// What a thread has that the standard library starts, and libtest.
const PLAIN: usize = 2 << 20;

/// Fails unless as much is left as in a plain test.
#[track_caller]
fn check() {
    let left = stacker::remaining_stack().unwrap();
    assert!(left + LITTLE > PLAIN, "{left} bytes are left");
    // With one test thread, libtest may run it on the main thread, whose size is another. Memory that the system
    // keeps from an ended thread may be larger, too, but not by much.
    let is_main = thread::current().name() == Some("main");
    assert!(is_main || left <= 4 * PLAIN, "{left} bytes are left");
}

/// Checks when it is dropped.
struct Checks;

impl Drop for Checks {
    fn drop(&mut self) {
        check();
    }
}

#[fixture]
fn synchronous(request: &Request) -> u32 {
    check();
    request.on_teardown(async { check() });
    wait(yield_now());
    check();
    1
}

#[fixture]
async fn asynchronous(synchronous: u32, out: Yield<u32>) {
    check();
    yield_now().await;
    check();
    out.give(synchronous + 1).await;
    check();
    yield_now().await;
    check();
}

#[fixture]
fn value() -> Checks {
    Checks
}

#[fixture(scope = "module")]
fn of_the_module() -> Checks {
    check();
    wait(yield_now());
    check();
    Checks
}

#[fixture(scope = "process")]
async fn of_the_process(out: Yield<Checks>) {
    check();
    yield_now().await;
    check();
    out.give(Checks).await;
    check();
}

#[fixture]
fn on_demand() -> u32 {
    check();
    7
}

#[fixture(around)]
async fn around(next: Next<'_>) -> Outcome {
    check();
    let outcome = next.run().await;
    check();
    outcome
}

#[green_light::test]
fn a_synchronous_body(
    asynchronous: u32,
    value: &Checks,
    of_the_module: &Checks,
    of_the_process: &Checks,
) {
    let (_, _, _) = (value, of_the_module, of_the_process);
    assert_eq!(asynchronous, 2);
    check();
    wait(async {
        yield_now().await;
        check();
    });
    check();
    // A stack of its own, with what that costs: code that measures is called outside of it.
    assert_eq!(wait(run_sync(|| wait(async { 5 }))), 5);
    check();
}

#[green_light::test(uses(around))]
async fn an_asynchronous_body(request: &Request, asynchronous: u32, value: &Checks) {
    let _value = value;
    assert_eq!(asynchronous, 2);
    check();
    yield_now().await;
    check();
    assert_eq!(*request.get(on_demand).await, 7);
    request.on_teardown(async { check() });
    let spawned = tokio::spawn(async {
        yield_now().await;
        check();
    });
    spawned.await.unwrap();
    tokio::task::spawn_blocking(check).await.unwrap();
}

#[green_light::test(context = false, uses(around))]
async fn without_a_context(asynchronous_alone: u32) {
    assert_eq!(asynchronous_alone, 3);
    yield_now().await;
    check();
}

#[fixture]
async fn asynchronous_alone(out: Yield<u32>) {
    check();
    out.give(3).await;
    check();
}

#[green_light::test(local)]
async fn with_local_tasks(asynchronous: u32) {
    assert_eq!(asynchronous, 2);
    check();
    let mut tasks = Vec::new();
    for number in 0..10_u32 {
        tasks.push(spawn_local(async move {
            check();
            let inner = spawn_local(async { yield_now().await });
            inner.await.unwrap();
            check();
            number
        }));
    }
    let mut sum = 0;
    for task in tasks {
        sum += task.await.unwrap();
    }
    assert_eq!(sum, 45);
    wait(spawn_local(async { check() })).unwrap();
    check();
}

#[green_light::test(runtime = "current_thread")]
async fn on_a_runtime_of_its_own(asynchronous: u32) {
    assert_eq!(asynchronous, 2);
    check();
    let spawned = tokio::spawn(async {
        check();
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        check();
    });
    spawned.await.unwrap();
    check();
}

#[green_light::test(start_paused)]
async fn with_a_paused_clock(asynchronous: u32) {
    assert_eq!(asynchronous, 2);
    let spawned = tokio::spawn(async {
        tokio::time::sleep(std::time::Duration::from_secs(600)).await;
        check();
    });
    spawned.await.unwrap();
    check();
}

#[green_light::test(local, runtime = "current_thread")]
async fn with_local_tasks_on_a_runtime_of_its_own(asynchronous: u32) {
    assert_eq!(asynchronous, 2);
    let local = spawn_local(async {
        let spawned = tokio::spawn(async { check() });
        spawned.await.unwrap();
        check();
    });
    local.await.unwrap();
    check();
}

#[green_light::test]
#[case(1)]
#[case(2)]
fn a_case(#[case] case: u32) {
    assert!(case < 3);
    check();
}

#[green_light::test]
fn a_property() {
    proptest!(ProptestConfig::with_cases(8), |(number in 0..1000_u32)| {
        check();
        assert_eq!(wait(async move { number }), number);
        check();
    });
}

#[green_light::test]
async fn all_of_it_may_be_used() {
    fn deep() -> usize {
        let frame = black_box([0_u8; 512]);
        if stacker::remaining_stack().unwrap() < LITTLE {
            return usize::from(frame[0]);
        }
        1 + deep() + usize::from(black_box(frame)[1])
    }

    check();
    yield_now().await;
    assert!(deep() > 256);
    check();
}

/// Started by itself with more stack for each thread.
#[green_light::test]
fn the_variable_of_the_standard_library_gives_more(of_the_process: &Checks) {
    const VARIABLE: &str = "RUST_MIN_STACK";
    const MORE: usize = 8 << 20;
    let _ = of_the_process;
    if env::var(VARIABLE).is_ok_and(|value| value == MORE.to_string()) {
        let left = stacker::remaining_stack().unwrap();
        assert!(
            left + LITTLE > MORE && left <= MORE,
            "{left} bytes are left"
        );
        return;
    }
    let mut child = Command::new(env::current_exe().unwrap());
    child.args([
        "stack::the_variable_of_the_standard_library",
        "--test-threads=2",
    ]);
    let output = child.env(VARIABLE, MORE.to_string()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && said.contains("1 passed"),
        "{said}"
    );
}
