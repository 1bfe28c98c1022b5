//! Phases that take too long: each is named, teardown runs, and nothing hangs.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use green_light::context::run_sync;
use green_light::prelude::*;
use green_light::{try_wait, wait};

const FOREVER: Duration = Duration::from_secs(3600);

#[fixture]
async fn torn_down(out: Yield<u32>) {
    out.give(1).await;
    tokio::time::sleep(Duration::from_millis(1)).await;
    eprintln!("torn down");
}

struct WaitsInDrop;

impl Drop for WaitsInDrop {
    fn drop(&mut self) {
        let waited = try_wait(tokio::time::sleep(Duration::from_millis(1)));
        eprintln!("a destructor waited: {}", waited.is_ok());
    }
}

#[green_light::test(timeout = "300ms", uses(torn_down))]
async fn an_asynchronous_body() {
    let _guard = WaitsInDrop;
    tokio::time::sleep(FOREVER).await;
}

#[green_light::test(timeout = "300ms", uses(torn_down))]
fn a_synchronous_body() {
    let _guard = WaitsInDrop;
    wait(tokio::time::sleep(FOREVER));
}

#[green_light::test(timeout = "300ms", uses(torn_down))]
fn a_body_that_swallows_panics() {
    for _ in 0..3 {
        let swallowed = catch_unwind(AssertUnwindSafe(|| wait(tokio::time::sleep(FOREVER))));
        eprintln!("swallowed: {}", swallowed.is_err());
    }
    eprintln!("what does not wait goes on");
}

#[green_light::test(timeout = "300ms", uses(torn_down), context = false)]
async fn a_body_without_a_context() {
    let _guard = WaitsInDrop;
    tokio::time::sleep(FOREVER).await;
}

#[green_light::test(timeout = "300ms", uses(torn_down))]
fn a_nested_wait() {
    let _guard = WaitsInDrop;
    wait(async {
        run_sync(|| {
            let _guard = WaitsInDrop;
            wait(async { wait(tokio::time::sleep(FOREVER)) });
        })
        .await;
    });
}

mod begin {
    use green_light::prelude::*;
    use sea_orm::{ConnectionTrait, DbErr, TransactionTrait};

    #[green_light::test]
    async fn a_fast_one_sets_the_engine_up(session: Session) -> Result<(), DbErr> {
        session.ping().await
    }

    #[green_light::test(timeout = "1s")]
    async fn b_that_is_cancelled(session: Session) -> Result<(), DbErr> {
        session
            .execute_unprepared("CREATE TABLE kept (n INTEGER)")
            .await?;
        let first = session.connection().begin().await?;
        // The connection is taken: this waits for it until it is cancelled.
        let second = session.connection().begin().await?;
        second.commit().await?;
        first.commit().await
    }

    #[green_light::test]
    async fn c_leaves_a_connection_that_works(session: Session) -> Result<(), DbErr> {
        let kept = session.execute_unprepared("SELECT n FROM kept").await;
        assert!(kept.is_err(), "what a cancelled test wrote is gone");
        let transaction = session.connection().begin().await?;
        transaction.execute_unprepared("SELECT 1").await?;
        transaction.commit().await
    }
}

#[fixture]
async fn slow(torn_down: u32) -> u32 {
    tokio::time::sleep(FOREVER).await;
    torn_down
}

#[green_light::test(timeout = "300ms")]
fn a_set_up(slow: u32) {
    unreachable!("{slow}");
}

#[fixture]
async fn slow_to_end(torn_down: u32, out: Yield<u32>) {
    out.give(torn_down).await;
    tokio::time::sleep(FOREVER).await;
}

#[green_light::test(timeout = "300ms")]
fn a_teardown(slow_to_end: u32) {
    assert_eq!(slow_to_end, 1);
}

#[green_light::test(timeout = "10m")]
async fn a_fast_test_passes(torn_down: u32) {
    assert_eq!(torn_down, 1);
}

mod made_for_all {
    use std::time::Duration;

    use green_light::prelude::*;

    #[fixture(scope = "module")]
    async fn late() -> u32 {
        tokio::time::sleep(Duration::from_secs(3)).await;
        3
    }

    #[green_light::test(timeout = "1s")]
    fn a_waits_no_longer(late: u32) {
        unreachable!("{late}");
    }

    #[green_light::test]
    fn b_has_what_was_made_meanwhile(late: u32) {
        assert_eq!(late, 3);
    }
}
