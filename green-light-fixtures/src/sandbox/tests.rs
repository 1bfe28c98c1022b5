//! What becomes of slots, on databases in memory.

use std::{sync::Arc, time::Duration};

use crate::driver::in_memory::{Call, InMemory};
use crate::driver::outcome::FinishOutcome;
use crate::limits::Timeouts;
use crate::sandbox::lease::Lease;
use crate::sandbox::pool::{SandboxPool, evict_idle};
use crate::test_id::TestId;

fn pool_of(driver: &InMemory) -> Arc<SandboxPool> {
    let timeouts = Timeouts {
        connection: Duration::from_millis(50),
        teardown: Duration::from_millis(50),
    };
    SandboxPool::new(Arc::new(driver.clone()), timeouts)
}

/// The lease of a test that has used its connection.
async fn used(pool: &Arc<SandboxPool>, test: &str) -> Lease {
    let lease = Lease::of(pool, TestId::named(test)).await.unwrap();
    lease.monitor().check_out(0, 0);
    lease.monitor().released();
    lease
}

/// Ends a lease, and returns the error.
async fn end(lease: &Lease) -> Option<String> {
    let returning = lease.take().expect("it has not ended");
    returning.end().await.err().map(|error| error.to_string())
}

#[tokio::test]
async fn the_next_test_gets_the_same_slot() {
    let driver = InMemory::default();
    let pool = pool_of(&driver);
    for _ in 0..3 {
        let lease = used(&pool, "one").await;
        assert_eq!(end(&lease).await, None);
        assert!(lease.take().is_none(), "a lease ends once");
    }
    let calls = driver.calls();
    let opened = |call: &&Call| matches!(call, Call::OpenSlot(_));
    assert_eq!(calls.iter().filter(opened).count(), 1, "{calls:?}");
    assert_eq!(
        calls[..5],
        [
            Call::OpenSlot(1),
            Call::Unpark(1),
            Call::Finish {
                slot: 1,
                detaches: false
            },
            Call::Park(1),
            Call::Unpark(1),
        ]
    );
    let counts = pool.counts();
    assert_eq!(
        (counts.opened, counts.idle, counts.leases, counts.ended),
        (1, 1, 3, 3)
    );
}

#[tokio::test]
async fn tests_at_the_same_time_have_slots_of_their_own() {
    let driver = InMemory::default();
    let pool = pool_of(&driver);
    let (one, other) = (used(&pool, "one").await, used(&pool, "other").await);
    assert_ne!(one.url(), other.url());
    assert_eq!(end(&one).await, None);
    assert_eq!(end(&other).await, None);
    assert_eq!(pool.counts().idle, 2);
    let again = used(&pool, "again").await;
    assert_eq!(pool.counts().opened, 2);
    assert_eq!(end(&again).await, None);
}

#[tokio::test]
async fn a_test_that_did_not_touch_its_connection_needs_no_end() {
    let driver = InMemory::default();
    let pool = pool_of(&driver);
    let lease = Lease::of(&pool, TestId::named("idle")).await.unwrap();
    assert_eq!(end(&lease).await, None);
    let finished = |call: &Call| matches!(call, Call::Finish { .. });
    assert!(!driver.calls().iter().any(finished));
    assert_eq!(pool.counts().idle, 1);
}

#[tokio::test]
async fn a_slot_that_may_have_changed_is_thrown_away() {
    let rows = vec!["`book` row 1 refers to no author".to_owned()];
    let lost = sqlx::Error::WorkerCrashed;
    for (outcome, text) in [
        (FinishOutcome::Changed, None),
        (FinishOutcome::Closed, None),
        (FinishOutcome::Lost, None),
        (
            FinishOutcome::Violated(rows),
            Some("`book` row 1 refers to no author"),
        ),
        (FinishOutcome::Held, Some("its connection was still in use")),
        (
            FinishOutcome::Failed(lost),
            Some("could not be rolled back"),
        ),
    ] {
        let driver = InMemory::default();
        let pool = pool_of(&driver);
        let lease = used(&pool, "shop::orders").await;
        let case = format!("{outcome:?}");
        driver.ends_with(outcome);
        let error = end(&lease).await;
        match text {
            None => assert_eq!(error, None, "{case}"),
            Some(text) => {
                let error = error.unwrap_or_else(|| panic!("{case} is reported"));
                assert!(error.contains("`shop::orders`"), "{case}: {error}");
                assert!(error.contains(text), "{case}: {error}");
            }
        }
        let calls = driver.calls();
        assert_eq!(
            calls[calls.len() - 2..],
            [Call::Close(1), Call::Drop(1)],
            "{case}"
        );
        assert_eq!(
            (pool.counts().idle, pool.counts().discarded),
            (0, 1),
            "{case}"
        );
    }
}

#[tokio::test]
async fn a_worn_session_is_replaced_and_the_database_stays() {
    let driver = InMemory::default();
    let pool = pool_of(&driver);
    let lease = used(&pool, "wears").await;
    driver.ends_with(FinishOutcome::Worn);
    assert_eq!(end(&lease).await, None);
    assert!(driver.calls().contains(&Call::RenewPool(1)));
    assert_eq!((pool.counts().idle, pool.counts().discarded), (1, 0));

    let lease = used(&pool, "wears").await;
    driver.ends_with(FinishOutcome::Worn);
    driver.refuses();
    assert_eq!(end(&lease).await, None, "no fault of the test");
    assert_eq!((pool.counts().idle, pool.counts().discarded), (0, 1));
}

#[tokio::test]
async fn a_pool_that_outlives_its_test_is_not_that_of_the_next() {
    let driver = InMemory::default();
    let pool = pool_of(&driver);
    let (slot, detaches) = (1, true);
    let is_replaced = || {
        let calls = driver.calls();
        calls.contains(&Call::Finish { slot, detaches }) && calls.contains(&Call::RenewPool(1))
    };
    let lease = used(&pool, "leaks").await;
    assert_eq!(end(&lease).await, None);
    assert!(!is_replaced());

    let lease = used(&pool, "leaks a connection of SeaORM").await;
    let leaked = lease.token.lock().clone();
    assert_eq!(end(&lease).await, None);
    assert!(is_replaced());
    assert_eq!(pool.counts().idle, 1);
    drop(leaked);

    let lease = used(&pool, "leaks a pool of sqlx").await;
    driver.shares_pools();
    assert_eq!(end(&lease).await, None);
    assert!(is_replaced());
    assert_eq!(pool.counts().idle, 1);
}

#[tokio::test]
async fn a_lease_that_is_dropped_takes_its_slot_along() {
    let driver = InMemory::default();
    let pool = pool_of(&driver);
    drop(used(&pool, "panics").await);
    assert!(driver.calls().ends_with(&[Call::Close(1), Call::Drop(1)]));
    assert_eq!((pool.counts().idle, pool.counts().ended), (0, 1));
}

#[tokio::test]
async fn a_slot_that_something_used_while_it_was_idle_is_not_lent() {
    let driver = InMemory::default();
    let pool = pool_of(&driver);
    let lease = used(&pool, "one").await;
    let monitor = Arc::clone(lease.monitor());
    assert_eq!(end(&lease).await, None);
    monitor.check_out(0, 0);
    let next = used(&pool, "next").await;
    assert_eq!((pool.counts().opened, pool.counts().discarded), (2, 1));
    assert_eq!(end(&next).await, None);
}

#[tokio::test]
async fn a_slot_with_a_connection_that_is_not_counted_does_not_wait_for_a_test() {
    let driver = InMemory::on_server();
    let pool = pool_of(&driver);
    let lease = used(&pool, "one").await;
    driver.may_not_idle();
    assert_eq!(end(&lease).await, None);
    assert_eq!(pool.counts().idle, 0);
}

#[tokio::test]
async fn idle_slots_of_servers_are_evicted_and_others_are_not() {
    let (server, local) = (InMemory::on_server(), InMemory::default());
    let (on_server, in_process) = (pool_of(&server), pool_of(&local));
    for pool in [&on_server, &in_process] {
        let lease = used(pool, "one").await;
        assert_eq!(end(&lease).await, None);
    }
    evict_idle();
    assert_eq!((on_server.counts().idle, in_process.counts().idle), (0, 1));
    // Parked, it goes back to those that are ready by way of its pool.
    assert!(server.calls().ends_with(&[Call::Park(1), Call::Drop(1)]));
}

#[tokio::test]
async fn a_database_that_cannot_be_made_is_an_error_of_the_test() {
    let driver = InMemory::default();
    driver.refuses();
    let refused = Lease::of(&pool_of(&driver), TestId::named("one")).await;
    let error = refused.unwrap_err().to_string();
    assert_eq!(error, "the database in memory refuses");
}
