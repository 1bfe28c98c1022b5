//! The autouse fixture that puts every test on a coroutine.

use green_light_core::context::{run_sync, wait};
use green_light_core::fixture::{Next, Outcome};
use green_light_macros::fixture;

/// Establishes the coroutine context of a test, before anything else is set up.
///
/// Fixtures, body and teardown run inside, so synchronous code at any depth may call
/// [`wait`](green_light_core::context::wait). Leave it out for one test with
/// `#[green_light::test(context = false)]`, for a run with `GREEN_LIGHT_AUTOUSE=0`.
#[fixture(around, autouse, reach = "crate", crate = green_light_core)]
pub async fn coroutine_context(next: Next<'_>) -> Outcome {
    let rest = next.run();
    run_sync(move || wait(rest)).await
}
