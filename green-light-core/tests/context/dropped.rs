//! A suspended context that its user drops.

use std::cell::Cell;
use std::future::{Future, pending};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

use green_light_core::context::{Limits, RunSync, run_sync, try_wait, wait};
use tokio::time::{sleep, timeout};

use crate::support::{Log, OnDrop, block_on, in_child, pause, text};

fn suspended<F, T>(future: RunSync<F, T>) -> Pin<Box<RunSync<F, T>>>
where
    F: FnOnce() -> T + 'static,
{
    let mut future = Box::pin(future);
    let poll = future
        .as_mut()
        .poll(&mut Context::from_waker(Waker::noop()));
    assert!(matches!(poll, Poll::Pending));
    future
}

fn short_limits(drop_timeout: Duration) {
    let mut limits = Limits::current();
    limits.drop_timeout = drop_timeout;
    limits.set();
}

#[test]
fn values_are_dropped_on_this_thread_before_the_drop_returns() {
    let here = thread::current().id();
    let log = Log::default();
    let inside = log.clone();
    let future = suspended(run_sync(move || {
        let (one, two) = (inside.clone(), inside.clone());
        let _one = OnDrop(move || one.say("one"));
        let _two = OnDrop(move || {
            assert_eq!(thread::current().id(), here);
            two.say("two");
        });
        wait(pending::<()>());
        inside.say("never");
    }));
    drop(future);
    log.say("dropped");
    assert_eq!(log.lines(), ["two", "one", "dropped"]);
    assert!(!thread::panicking());
}

#[test]
fn a_future_that_is_leaked_leaks_its_stack() {
    let value = Rc::new(());
    let inside = Rc::clone(&value);
    let future = suspended(run_sync(move || {
        wait(pending::<()>());
        drop(inside);
    }));
    std::mem::forget(future);
    // Other contexts come and go on stacks of their own.
    for _ in 0..100 {
        block_on(run_sync(|| wait(pause())));
    }
    assert_eq!(Rc::strong_count(&value), 2, "nothing of it is ever dropped");
}

#[test]
fn a_drop_prints_no_panic_message() {
    let output = in_child("dropped::dropping", &[]);
    assert!(output.status.success());
    assert!(!text(&output).contains("panicked"), "{}", text(&output));
}

#[test]
#[ignore = "started by the test above, in a process of its own"]
fn dropping() {
    drop(suspended(run_sync(|| wait(pending::<()>()))));
}

#[test]
fn a_drop_while_the_thread_panics_unwinds_too() {
    let log = Log::default();
    let inside = log.clone();
    let thrown = catch_unwind(AssertUnwindSafe(|| {
        let _future = suspended(run_sync(move || {
            let end = inside.clone();
            let _end = OnDrop(move || {
                // The thread panicked before this stack began to unwind, which is no reason to wait less.
                let got = wait(async {
                    pause().await;
                    4
                });
                end.say(format!("got {got}"));
            });
            wait(pending::<()>());
        }));
        panic!("outside");
    }));
    assert_eq!(thrown.unwrap_err().downcast_ref(), Some(&"outside"));
    assert_eq!(log.lines(), ["got 4"]);
}

#[test]
fn nested_contexts_unwind_from_the_inside() {
    let log = Log::default();
    let inside = log.clone();
    let future = suspended(run_sync(move || {
        let (outer, inner) = (inside.clone(), inside.clone());
        let _outer = OnDrop(move || outer.say("outer"));
        wait(async {
            wait(run_sync(move || {
                let _inner = OnDrop(move || inner.say("inner"));
                wait(pending::<()>());
            }));
        });
    }));
    drop(future);
    assert_eq!(log.lines(), ["inner", "outer"]);
}

#[test]
fn a_timeout_drops_the_context_and_destructors_may_wait() {
    let log = Log::default();
    let inside = log.clone();
    // A multi-thread runtime: its timers run while this thread blocks in the destructor.
    let context = run_sync(move || {
        let end = inside.clone();
        let _end = OnDrop(move || {
            let slept = try_wait(async {
                sleep(Duration::from_millis(10)).await;
                "slept"
            });
            end.say(slept.unwrap());
        });
        wait(pending::<()>());
    });
    let result = green_light_core::runtime::block_on(async {
        timeout(Duration::from_millis(10), context).await
    });
    assert!(result.unwrap().is_err());
    assert_eq!(log.lines(), ["slept"]);
}

#[test]
fn a_destructor_finds_the_runtime_also_when_the_drop_happens_outside() {
    let log = Log::default();
    let inside = log.clone();
    let mut future = Box::pin(run_sync(move || {
        let end = inside.clone();
        let _end = OnDrop(move || {
            wait(async { sleep(Duration::from_millis(5)).await });
            end.say("slept");
        });
        wait(pending::<()>());
    }));
    green_light_core::runtime::block_on(async {
        assert!(futures::poll!(future.as_mut()).is_pending());
    })
    .unwrap();
    drop(future);
    assert_eq!(log.lines(), ["slept"]);
}

#[test]
fn select_drops_the_branch_that_lost() {
    let log = Log::default();
    let inside = log.clone();
    block_on(async {
        tokio::select! {
            () = run_sync(move || {
                let end = inside.clone();
                let _end = OnDrop(move || end.say("lost"));
                wait(pending::<()>());
            }) => unreachable!(),
            () = sleep(Duration::from_millis(5)) => log.say("won"),
        }
    });
    assert_eq!(log.lines(), ["lost", "won"]);
}

#[test]
fn code_that_catches_the_unwinding_gets_it_at_every_wait() {
    let caught = Rc::new(Cell::new(0));
    let inside = Rc::clone(&caught);
    let future = suspended(run_sync(move || {
        for _ in 0..100 {
            let unwound = catch_unwind(AssertUnwindSafe(|| wait(pending::<()>())));
            assert!(unwound.is_err());
            inside.set(inside.get() + 1);
        }
    }));
    drop(future);
    assert_eq!(caught.get(), 100);
}

#[test]
fn an_unwinding_that_is_caught_inside_of_a_future_begins_again_outside() {
    let log = Log::default();
    let inside = log.clone();
    drop(suspended(run_sync(move || {
        let end = inside.clone();
        let _end = OnDrop(move || end.say("outside"));
        wait(async {
            let caught = catch_unwind(AssertUnwindSafe(|| wait(pending::<()>())));
            assert!(caught.is_err());
            inside.say("inside");
            pending::<()>().await;
        });
    })));
    assert_eq!(log.lines(), ["inside", "outside"]);
}

#[test]
fn a_wait_beside_an_unwinding_stack_unwinds_all_the_same() {
    // The thread panics when the second context begins to wait, because of the destructor of the first.
    let log = Log::default();
    let inside = log.clone();
    let unwinding = suspended(run_sync(|| {
        let _end = OnDrop(|| wait(pause()));
        std::panic::resume_unwind(Box::new("planned"));
    }));
    assert!(thread::panicking());
    drop(suspended(run_sync(move || {
        let _end = OnDrop(move || inside.say("dropped"));
        wait(pending::<()>());
    })));
    assert_eq!(log.lines(), ["dropped"]);
    assert!(catch_unwind(AssertUnwindSafe(|| block_on(unwinding))).is_err());
    assert!(!thread::panicking());
}

#[test]
fn a_destructor_that_waits_for_ever_is_abandoned_and_reported() {
    let output = in_child(
        "dropped::abandoning",
        &[("GREEN_LIGHT_DROP_TIMEOUT", "50ms")],
    );
    let said = text(&output);
    assert!(output.status.success(), "{said}");
    assert!(
        said.contains(
            "test `dropped::abandoning`: a cancelled coroutine context was still waiting at "
        ),
        "{said}"
    );
    assert!(said.contains("tests/context/dropped.rs:"), "{said}");
    assert!(
        said.contains("after 50ms; its stack is abandoned"),
        "{said}"
    );
    assert!(
        said.contains("help: ") && said.contains("`GREEN_LIGHT_DROP_TIMEOUT`"),
        "{said}"
    );
}

#[test]
#[ignore = "started by the test above, in a process of its own"]
fn abandoning() {
    let reached = Rc::new(Cell::new(false));
    let inside = Rc::clone(&reached);
    drop(suspended(run_sync(move || {
        let _value = inside.clone();
        let _end = OnDrop(|| wait(pending::<()>()));
        let _reached = OnDrop(move || inside.set(true));
        wait(pending::<()>());
    })));
    // What was dropped before is dropped; what the stack holds is not, and never will be.
    assert!(reached.get());
    assert!(Rc::strong_count(&reached) > 1);
    // Other contexts go on working.
    assert_eq!(block_on(run_sync(|| wait(async { 2 }))), 2);
}

#[test]
fn a_loop_that_catches_for_ever_is_abandoned_too() {
    short_limits(Duration::from_millis(30));
    drop(suspended(run_sync(|| {
        loop {
            let _ = catch_unwind(|| wait(pending::<()>()));
        }
    })));
    assert!(!thread::panicking());
    assert_eq!(block_on(run_sync(|| wait(async { 2 }))), 2);
}

#[test]
fn a_context_in_a_thread_local_is_dropped_with_its_thread() {
    type Kept = Pin<Box<dyn Future<Output = ()>>>;
    thread_local! {
        static KEPT: std::cell::RefCell<Option<Kept>> = const { std::cell::RefCell::new(None) };
    }
    let (sender, receiver) = std::sync::mpsc::channel();
    let thread = thread::spawn(move || {
        let future = run_sync(move || {
            let _end = OnDrop(move || sender.send(()).unwrap());
            wait(pending::<()>());
        });
        KEPT.set(Some(suspended(future)));
    });
    thread.join().unwrap();
    receiver.recv().unwrap();
}
