//! Templates, GraphQL and grammars in bodies and fixtures of every kind, and how much stack there is.

use std::env;
use std::process::Command;
use std::sync::OnceLock;
use std::thread;

use green_light::prelude::*;
use green_light::{context::run_sync, wait};
use stack::{Shop, everything, page, shop, sum, without_waiting};
use tokio::task::yield_now;

const LITTLE: usize = 64 << 10;

static PLAIN: OnceLock<usize> = OnceLock::new();

/// Notes what a plain test has.
#[test]
fn a_plain_test() {
    without_waiting();
    assert!(is_as_in_a_plain_test());
}

fn is_as_in_a_plain_test() -> bool {
    let plain = *PLAIN.get_or_init(|| {
        let plain = thread::spawn(|| stacker::remaining_stack().unwrap());
        plain.join().unwrap()
    });
    stacker::remaining_stack().unwrap().abs_diff(plain) < LITTLE
}

/// Uses it all when it is dropped.
struct InItsEnd;

impl Drop for InItsEnd {
    fn drop(&mut self) {
        without_waiting();
        wait(everything());
    }
}

#[fixture]
fn synchronous() -> String {
    without_waiting();
    wait(everything());
    page("bob")
}

#[fixture]
async fn asynchronous(out: Yield<String>) {
    everything().await;
    out.give(page("bob")).await;
    everything().await;
}

#[fixture]
fn ends() -> InItsEnd {
    InItsEnd
}

#[fixture(scope = "module")]
fn of_the_module() -> String {
    without_waiting();
    wait(everything());
    page("eve")
}

#[fixture(scope = "module")]
async fn of_the_module_too(out: Yield<String>) {
    everything().await;
    out.give(page("eve")).await;
    everything().await;
}

#[fixture(scope = "process")]
fn of_the_process() -> Shop {
    without_waiting();
    wait(everything());
    shop()
}

#[fixture(scope = "process")]
async fn of_the_process_too(out: Yield<Shop>) {
    everything().await;
    out.give(shop()).await;
    everything().await;
}

#[fixture(around)]
async fn around(next: Next<'_>) -> Outcome {
    everything().await;
    let outcome = next.run().await;
    everything().await;
    outcome
}

#[green_light::test]
fn a_synchronous_body(
    synchronous: &str,
    asynchronous: &str,
    ends: &InItsEnd,
    of_the_module: &str,
    of_the_module_too: &str,
    of_the_process: &Shop,
    of_the_process_too: &Shop,
) {
    let _ = ends;
    assert!(is_as_in_a_plain_test());
    assert_eq!(synchronous, asynchronous);
    assert_eq!(of_the_module, of_the_module_too);
    assert_eq!(wait(sum(of_the_process)), wait(sum(of_the_process_too)));
    without_waiting();
    wait(everything());
    // In a context of its own, on a thread.
    wait(run_sync(|| {
        wait(tokio::task::spawn_blocking(without_waiting))
    }))
    .unwrap();
}

#[green_light::test(uses(around))]
async fn an_asynchronous_body(
    synchronous: &str,
    asynchronous: &str,
    ends: &InItsEnd,
    of_the_module: &str,
    of_the_module_too: &str,
    of_the_process: &Shop,
    of_the_process_too: &Shop,
) {
    let _ = ends;
    assert!(is_as_in_a_plain_test());
    assert_eq!(synchronous, asynchronous);
    assert_eq!(of_the_module, of_the_module_too);
    assert_eq!(sum(of_the_process).await, sum(of_the_process_too).await);
    yield_now().await;
    everything().await;
    tokio::spawn(everything()).await.unwrap();
}

#[green_light::test(context = false, uses(around))]
async fn without_a_context() {
    everything().await;
}

#[green_light::test(local)]
async fn in_local_tasks(asynchronous: &str) {
    tokio::task::spawn_local(everything()).await.unwrap();
    assert_eq!(asynchronous, page("bob"));
}

#[green_light::test(runtime = "current_thread")]
async fn on_a_runtime_of_its_own(asynchronous: &str) {
    tokio::spawn(everything()).await.unwrap();
    assert_eq!(asynchronous, page("bob"));
}

macro_rules! many {
    ($($name:ident)*) => {$(
        #[green_light::test]
        async fn $name(synchronous: &str, asynchronous: &str, of_the_process_too: &Shop) {
            assert_eq!(synchronous, asynchronous);
            everything().await;
            sum(of_the_process_too).await;
            without_waiting();
        }
    )*};
}

many! { many_a many_b many_c many_d many_e many_f many_g many_h }

/// Many processes, each with eight threads: where stacks lie is another matter in each.
#[test]
fn again_and_again() {
    if env::var_os("STACK_ONCE").is_some() {
        return;
    }
    let runs: u32 = env::var("STACK_RUNS").map_or(20, |runs| runs.parse().unwrap());
    for run in 0..runs {
        let mut again = Command::new(env::current_exe().unwrap());
        again.args(["--test-threads", "8"]).env("STACK_ONCE", "1");
        let output = again.output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "run {run} of {runs}: {said}");
    }
}

#[green_light::test]
fn the_variable_of_the_standard_library_counts() {
    if env::var_os("RUST_MIN_STACK").is_some() {
        let left = stacker::remaining_stack().unwrap();
        assert!(left > (8 << 20) - LITTLE, "{left}");
        return;
    }
    let mut again = Command::new(env::current_exe().unwrap());
    again.args([
        "the_variable_of_the_standard_library_counts",
        "--test-threads",
        "2",
    ]);
    assert!(
        again
            .env("RUST_MIN_STACK", "8388608")
            .status()
            .unwrap()
            .success()
    );
}
