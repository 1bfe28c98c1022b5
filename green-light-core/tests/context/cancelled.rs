//! A context tree that its runner cancels, and goes on polling.

use std::cell::Cell;
use std::future::{Future, pending};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::time::Duration;

use futures::FutureExt;
use green_light_core::context::{
    CancelToken, Limits, is_cancelled_payload, run_sync, try_wait, wait,
};
use tokio::task::{LocalSet, spawn_local, yield_now};
use tokio::time::{sleep, timeout};

use crate::support::{Log, OnDrop, block_on};

/// How a body ended that got a deadline of ten milliseconds.
#[derive(Debug, PartialEq)]
enum Ended<T> {
    Done(T),
    Cancelled,
    Panicked(String),
}

/// What a runner does: polls on after the deadline.
fn with_deadline<F: Future>(make: impl FnOnce(&CancelToken) -> F) -> Ended<F::Output> {
    block_on(async {
        let token = CancelToken::new();
        let body = AssertUnwindSafe(token.scope(make(&token))).catch_unwind();
        tokio::pin!(body);
        let result = match timeout(Duration::from_millis(10), body.as_mut()).await {
            Ok(result) => result,
            Err(_) => {
                token.cancel();
                let left = timeout(Duration::from_secs(20), body.as_mut());
                left.await.expect("a cancelled body ends")
            }
        };
        match result {
            Ok(output) => Ended::Done(output),
            Err(payload) if is_cancelled_payload(&*payload) => Ended::Cancelled,
            Err(payload) => Ended::Panicked(
                payload
                    .downcast_ref::<&str>()
                    .map_or_else(String::new, ToString::to_string),
            ),
        }
    })
}

#[test]
fn a_deadline_unwinds_a_waiting_context() {
    let log = Log::default();
    let inside = log.clone();
    let ended = with_deadline(|_| {
        run_sync(move || {
            let end = inside.clone();
            let _end = OnDrop(move || end.say("dropped"));
            wait(pending::<()>());
            inside.say("never");
        })
    });
    assert_eq!(ended, Ended::Cancelled);
    assert_eq!(log.lines(), ["dropped"]);
}

#[test]
fn a_panic_of_the_users_is_told_apart() {
    let ended = with_deadline(|_| {
        run_sync(|| {
            let unwound = catch_unwind(|| wait(pending::<()>()));
            assert!(unwound.is_err());
            panic!("mine");
        })
    });
    assert_eq!(ended, Ended::Panicked("mine".to_owned()));
}

#[test]
fn destructors_suspend_as_usual() {
    let log = Log::default();
    let (inside, beside) = (log.clone(), log.clone());
    let (begun, sees) = tokio::sync::oneshot::channel();
    let (answers, answer) = tokio::sync::oneshot::channel();
    let ended = with_deadline(|_| async move {
        let watching = async move {
            sees.await.unwrap();
            beside.say("beside");
            answers.send(()).unwrap();
            pending::<()>().await;
        };
        let mut begun = Some(begun);
        let mut answer = Some(answer);
        let body = run_sync(move || {
            let _end = OnDrop(move || {
                inside.say("begin");
                begun.take().unwrap().send(()).unwrap();
                wait(answer.take().unwrap()).unwrap();
                inside.say("end");
            });
            wait(pending::<()>());
        });
        futures::future::select(Box::pin(watching), body).await;
    });
    assert_eq!(ended, Ended::Cancelled);
    // The destructor waited for something that the same thread had to poll.
    assert_eq!(log.lines(), ["begin", "beside", "end"]);
}

#[test]
fn nested_contexts_unwind_first_and_may_wait_in_destructors() {
    let log = Log::default();
    let inside = log.clone();
    let ended = with_deadline(|_| {
        run_sync(move || {
            let (outer, inner) = (inside.clone(), inside.clone());
            let _outer = OnDrop(move || {
                wait(sleep(Duration::from_millis(1)));
                outer.say("outer");
            });
            wait(async {
                run_sync(move || {
                    let _inner = OnDrop(move || {
                        wait(sleep(Duration::from_millis(5)));
                        inner.say("inner");
                    });
                    wait(pending::<()>());
                })
                .await;
            });
        })
    });
    assert_eq!(ended, Ended::Cancelled);
    assert_eq!(log.lines(), ["inner", "outer"]);
}

#[test]
fn every_context_below_is_reached_however_it_is_polled() {
    let dropped = Rc::new(Cell::new(0));
    let counter = Rc::clone(&dropped);
    // `join_all` polls many futures only when they are woken.
    let ended = with_deadline(|_| {
        run_sync(move || {
            let contexts = (0..200).map(|_| {
                let counter = Rc::clone(&counter);
                run_sync(move || {
                    let _end = OnDrop(move || {
                        wait(yield_now());
                        counter.set(counter.get() + 1);
                    });
                    wait(pending::<()>());
                })
            });
            wait(futures::future::join_all(contexts));
        })
    });
    assert_eq!(ended, Ended::Cancelled);
    assert_eq!(dropped.get(), 200);
}

#[test]
fn contexts_in_local_tasks_are_reached() {
    let dropped = Rc::new(Cell::new(0));
    let counter = Rc::clone(&dropped);
    let ended = with_deadline(|_| {
        run_sync(move || {
            let local = LocalSet::new();
            wait(local.run_until(async {
                let tasks: Vec<_> = (0..300)
                    .map(|_| {
                        let counter = Rc::clone(&counter);
                        spawn_local(run_sync(move || {
                            let _end = OnDrop(move || {
                                wait(yield_now());
                                counter.set(counter.get() + 1);
                            });
                            wait(pending::<()>());
                        }))
                    })
                    .collect();
                for task in tasks {
                    let _ = task.await;
                }
                pending::<()>().await;
            }));
        })
    });
    assert_eq!(ended, Ended::Cancelled);
    assert_eq!(dropped.get(), 300);
}

#[test]
fn a_context_that_nobody_polls_any_more_does_not_hold_up_the_others() {
    let log = Log::default();
    let inside = log.clone();
    let ended = with_deadline(|_| {
        run_sync(move || {
            let end = inside.clone();
            wait(async move {
                let mut kept = Box::pin(run_sync(move || {
                    let _end = OnDrop(move || end.say("dropped"));
                    wait(pending::<()>());
                }));
                assert!(futures::poll!(kept.as_mut()).is_pending());
                pending::<()>().await;
            });
        })
    });
    assert_eq!(ended, Ended::Cancelled);
    assert_eq!(log.lines(), ["dropped"]);
}

#[test]
fn a_wait_in_an_async_block_is_reached() {
    let ended = with_deadline(|_| {
        run_sync(|| {
            wait(async {
                futures::join!(pending::<()>(), async { wait(pending::<()>()) });
            });
        })
    });
    assert_eq!(ended, Ended::Cancelled);
}

#[test]
fn a_body_that_swallows_the_unwinding_does_not_survive() {
    let rounds = Rc::new(Cell::new(0));
    let inside = Rc::clone(&rounds);
    let ended = with_deadline(|_| {
        run_sync(move || {
            while inside.get() < 1000 {
                let _ = catch_unwind(AssertUnwindSafe(|| wait(pending::<()>())));
                inside.set(inside.get() + 1);
            }
            // The end of the loop is the end of swallowing.
            wait(pending::<()>());
        })
    });
    assert_eq!(ended, Ended::Cancelled);
    assert_eq!(rounds.get(), 1000);
}

#[test]
fn a_body_that_swallows_for_ever_is_abandoned() {
    let mut limits = Limits::current();
    limits.drop_timeout = Duration::from_millis(30);
    limits.set();
    let ended = with_deadline(|_| {
        run_sync(|| {
            loop {
                let _ = catch_unwind(|| wait(pending::<()>()));
            }
        })
    });
    assert_eq!(ended, Ended::Cancelled);
}

#[test]
fn proptest_swallows_unwinding_and_ends_all_the_same() {
    use proptest::prelude::*;
    let cases = Rc::new(Cell::new(0));
    let inside = Rc::clone(&cases);
    let ended = with_deadline(|_| {
        run_sync(move || {
            let config = ProptestConfig {
                failure_persistence: None,
                ..ProptestConfig::default()
            };
            let mut runner = proptest::test_runner::TestRunner::new(config);
            let failed = runner.run(&(0..1000_u32), |n| {
                inside.set(inside.get() + 1);
                wait(sleep(Duration::from_millis(2)));
                prop_assert!(n < 1000);
                Ok(())
            });
            assert!(failed.is_err());
            wait(pending::<()>());
        })
    });
    assert_eq!(ended, Ended::Cancelled);
    assert!(cases.get() < 1000, "{} cases", cases.get());
}

#[test]
fn a_value_that_is_ready_is_returned_before_the_context_unwinds() {
    let ended = with_deadline(|token| {
        let token = token.clone();
        run_sync(move || {
            let got = wait(async {
                token.cancel();
                3
            });
            assert_eq!(got, 3);
            let next = catch_unwind(|| wait(async { 4 }));
            assert!(next.is_err());
            got
        })
    });
    assert_eq!(ended, Ended::Done(3));
}

#[test]
fn a_cancelled_part_ends_and_the_rest_of_the_context_goes_on() {
    // A runner cancels the body of a test and tears down in the same context.
    let log = Log::default();
    let inside = log.clone();
    let part: Rc<Cell<Option<CancelToken>>> = Rc::default();
    let handed = Rc::clone(&part);
    block_on(async move {
        let context = run_sync(move || {
            wait(async {
                let token = CancelToken::new();
                handed.set(Some(token.clone()));
                let body = token.scope(async { wait(pending::<()>()) });
                let ended = AssertUnwindSafe(body).catch_unwind().await;
                assert!(is_cancelled_payload(&*ended.unwrap_err()));
                wait(sleep(Duration::from_millis(1)));
                inside.say("torn down");
            });
            try_wait(async { 1 }).unwrap()
        });
        let whole = CancelToken::new();
        let cancel = async {
            sleep(Duration::from_millis(5)).await;
            part.take().unwrap().cancel();
        };
        let (got, ()) = futures::join!(whole.scope(context), cancel);
        assert_eq!(got, 1);
    });
    assert_eq!(log.lines(), ["torn down"]);
}

#[test]
fn a_context_entered_after_the_deadline_runs_until_it_waits() {
    block_on(async {
        let token = CancelToken::new();
        token.cancel();
        assert_eq!(token.scope(run_sync(|| 5)).await, 5);
        let unwound = AssertUnwindSafe(token.scope(run_sync(|| wait(async { 6 }))))
            .catch_unwind()
            .await;
        assert!(is_cancelled_payload(&*unwound.unwrap_err()));
    });
}
