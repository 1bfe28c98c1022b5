//! A wait in an async block suspends the polls around it; a context of its own does not.

use std::cell::Cell;
use std::future::pending;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::time::Duration;

use green_light_core::context::{CancelToken, Limits, run_sync, synchronous, wait, wait_named};
use tokio::sync::oneshot;
use tokio::task::LocalSet;
use tokio::time::{sleep, timeout};

use crate::support::{block_on, in_child, text};

fn fast_stall(warning: u64, failure: u64) {
    let mut limits = Limits::current();
    limits.stall_warning = Duration::from_millis(warning);
    limits.stall_timeout = Duration::from_millis(failure);
    limits.set();
}

#[test]
fn a_branch_with_a_context_of_its_own_lets_the_other_run() {
    fast_stall(50, 2000);
    let got = block_on(run_sync(|| {
        wait(async {
            let (sender, receiver) = oneshot::channel();
            let a = async {
                sleep(Duration::from_millis(5)).await;
                sender.send(7).unwrap();
            };
            futures::join!(a, run_sync(move || wait(receiver).unwrap())).1
        })
    }));
    assert_eq!(got, 7);
}

#[test]
fn a_branch_that_waits_stops_the_other() {
    let steps = Rc::new(Cell::new(0));
    let counter = Rc::clone(&steps);
    block_on(run_sync(move || {
        wait(async {
            let ticking = async {
                for _ in 0..3 {
                    counter.set(counter.get() + 1);
                    sleep(Duration::from_millis(1)).await;
                }
            };
            let waiting = async {
                wait(sleep(Duration::from_millis(20)));
                assert_eq!(counter.get(), 1, "the other branch stands still");
            };
            futures::join!(ticking, waiting);
        });
    }));
    assert_eq!(steps.get(), 3);
}

#[test]
fn a_branch_that_needs_the_other_fails_and_names_both_places() {
    fast_stall(20, 60);
    let thrown = catch_unwind(AssertUnwindSafe(|| {
        block_on(run_sync(|| {
            wait_named("the body of `t`", async {
                let (sender, receiver) = oneshot::channel();
                let a = async {
                    sleep(Duration::from_millis(5)).await;
                    sender.send(7).unwrap();
                };
                futures::join!(a, async { wait(receiver).unwrap() });
            });
        }));
    }));
    let payload = thrown.unwrap_err();
    let said = payload.downcast_ref::<String>().unwrap();
    assert!(
        said.contains("`wait` at green-light-core/tests/context/joins.rs:"),
        "{said}"
    );
    assert!(
        said.contains("inside a future that is being waited for at the body of `t`"),
        "{said}"
    );
    assert!(
        said.contains("help: write `.await`") && said.contains("`context::run_sync("),
        "{said}"
    );
}

#[test]
fn it_warns_first_and_the_variable_sets_when_it_fails() {
    let output = in_child("joins::stalling", &[("GREEN_LIGHT_STALL_TIMEOUT", "100ms")]);
    assert_eq!(output.status.code(), Some(101));
    let said = text(&output);
    assert!(
        said.contains("warning: test `joins::stalling`: `wait` at "),
        "{said}"
    );
    assert!(
        said.contains("; it fails after 100ms (`GREEN_LIGHT_STALL_TIMEOUT`)"),
        "{said}"
    );
    assert_eq!(
        said.matches("nothing else in that future makes progress")
            .count(),
        2,
        "{said}"
    );
}

#[test]
#[ignore = "started by the test above, in a process of its own"]
fn stalling() {
    block_on(run_sync(|| wait(async { wait(pending::<()>()) })));
}

#[test]
fn a_wait_of_a_synchronous_body_is_no_stall_however_long() {
    fast_stall(5, 10);
    block_on(run_sync(|| {
        // Not below another wait.
        wait(sleep(Duration::from_millis(30)));
        // Below the runner's, as the body of a synchronous test.
        wait(async { synchronous(|| wait(sleep(Duration::from_millis(30)))) });
    }));
}

#[test]
fn an_async_block_inside_a_synchronous_body_counts_again() {
    fast_stall(5, 10);
    let thrown = catch_unwind(|| {
        block_on(run_sync(|| {
            wait(async { synchronous(|| wait(async { wait(pending::<()>()) })) });
        }));
    });
    assert!(thrown.is_err());
}

#[test]
fn a_deadline_reaches_a_branch_that_hangs() {
    block_on(async {
        let token = CancelToken::new();
        let cancel = token.clone();
        let body = token.scope(run_sync(|| {
            let (_sender, receiver) = oneshot::channel::<()>();
            wait(async { futures::join!(pending::<()>(), async { wait(receiver).unwrap() }) });
        }));
        let body = futures::FutureExt::catch_unwind(AssertUnwindSafe(body));
        let deadline = async {
            sleep(Duration::from_millis(5)).await;
            cancel.cancel();
        };
        let (ended, ()) = futures::join!(body, deadline);
        assert!(ended.is_err());
    });
}

#[test]
fn a_local_set_works_outside_and_inside_a_context() {
    let local = LocalSet::new();
    let outside = block_on(local.run_until(run_sync(|| {
        let task = tokio::task::spawn_local(async { 1 });
        wait(task).unwrap()
    })));
    let inside = block_on(run_sync(|| {
        let local = LocalSet::new();
        wait(local.run_until(async { tokio::task::spawn_local(async { 2 }).await.unwrap() }))
    }));
    assert_eq!((outside, inside), (1, 2));
}

#[test]
fn timeout_and_select_work_around_a_wait_inside_a_context() {
    block_on(run_sync(|| {
        let late = wait(timeout(Duration::from_millis(5), pending::<()>()));
        assert!(late.is_err());
        let first = wait(async {
            tokio::select! {
                () = sleep(Duration::from_millis(2)) => "timer",
                () = run_sync(|| wait(pending::<()>())) => "context",
            }
        });
        assert_eq!(first, "timer");
    }));
}
