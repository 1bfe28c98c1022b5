//! Bodies that do not end when they are cancelled: their thread is lost, and the run is not.

use std::io::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use green_light::prelude::*;
use green_light::{try_wait, wait};

const FOREVER: Duration = Duration::from_secs(3600);

#[fixture]
async fn torn_down(out: Yield<u32>) {
    out.give(1).await;
    tokio::time::sleep(Duration::from_millis(1)).await;
    // Past the capture of a test that never ends.
    let _ = writeln!(std::io::stderr(), "torn down");
}

#[green_light::test(timeout = "200ms", uses(torn_down))]
fn a_body_that_catches_for_ever() {
    loop {
        let _ = catch_unwind(AssertUnwindSafe(|| wait(tokio::time::sleep(FOREVER))));
    }
}

struct WaitsForEver;

impl Drop for WaitsForEver {
    fn drop(&mut self) {
        let _ = try_wait(std::future::pending::<()>());
    }
}

#[green_light::test(timeout = "200ms", uses(torn_down))]
fn a_destructor_that_waits_for_ever() {
    let _guard = WaitsForEver;
    wait(tokio::time::sleep(FOREVER));
}

mod beside {
    use std::time::Duration;

    #[green_light::test]
    async fn one_that_is_slow_passes() {
        tokio::time::sleep(Duration::from_secs(3)).await;
    }
}
