//! Endless recursion, on the stack of a test and on one of `run_sync`.

use green_light::context::run_sync;
use green_light::wait;

#[expect(unconditional_recursion, reason = "it is to overflow")]
fn endless(depth: u64) -> u64 {
    let frame = std::hint::black_box([depth; 64]);
    endless(depth + 1) ^ std::hint::black_box(frame)[7]
}

#[green_light::test]
async fn in_a_body() {
    tokio::task::yield_now().await;
    endless(0);
}

#[green_light::test]
fn inside_of_run_sync() {
    wait(run_sync(|| endless(0)));
}
