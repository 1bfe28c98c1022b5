//! A closure on its own stack, and the thread it runs on.

use std::cell::Cell;
use std::rc::Rc;
use std::thread;
use std::time::Duration;

use green_light_core::context::{is_active, run_sync, try_wait, wait};
use tokio::runtime::Handle;
use tokio::time::sleep;

use crate::support::block_on;

thread_local! {
    static MARK: Cell<u32> = const { Cell::new(0) };
}

#[test]
fn the_closure_runs_on_the_thread_that_polls() {
    let (thread_here, marked) = (thread::current().id(), 7);
    MARK.set(marked);
    let seen = block_on(run_sync(move || {
        let before = (thread::current().id(), MARK.get());
        wait(sleep(Duration::from_millis(2)));
        (before, (thread::current().id(), MARK.get()))
    }));
    assert_eq!(seen, ((thread_here, marked), (thread_here, marked)));
}

#[test]
fn the_tokio_context_is_that_of_the_poller() {
    let (poller, before, after) = block_on(async {
        let poller = Handle::current().id();
        let seen = run_sync(|| {
            let before = Handle::current().id();
            wait(sleep(Duration::from_millis(1)));
            // A task that is spawned here runs beside the context.
            let after = wait(tokio::spawn(async { Handle::current().id() }));
            (before, after.expect("the task does not panic"))
        });
        let (before, after) = seen.await;
        (poller, before, after)
    });
    assert_eq!((before, after), (poller, poller));
}

#[test]
fn the_first_poll_starts_the_closure() {
    let started = Rc::new(Cell::new(false));
    let inside = Rc::clone(&started);
    let future = run_sync(move || inside.set(true));
    assert!(!started.get());
    block_on(future);
    assert!(started.get());
}

#[test]
fn a_closure_that_was_never_polled_is_dropped() {
    let value = Rc::new(());
    let inside = Rc::clone(&value);
    drop(run_sync(move || drop(inside)));
    assert_eq!(Rc::strong_count(&value), 1);
}

#[test]
fn contexts_nest() {
    let sum = block_on(run_sync(|| {
        let one = wait(async {
            sleep(Duration::from_millis(1)).await;
            1
        });
        let ten = wait(run_sync(move || {
            wait(sleep(Duration::from_millis(1)));
            one + wait(run_sync(|| wait(async { 9 })))
        }));
        let hundred = wait(async {
            // A wait inside a poll of another wait.
            wait(sleep(Duration::from_millis(1)));
            90 + wait(async { ten })
        });
        hundred + 1
    }));
    assert_eq!(sum, 101);
}

#[test]
fn a_thousand_contexts_live_on_one_thread() {
    let sum: usize = block_on(async {
        let contexts = (0..1000_usize).map(|index| {
            run_sync(move || {
                wait(sleep(Duration::from_millis(5)));
                index
            })
        });
        futures::future::join_all(contexts).await.into_iter().sum()
    });
    assert_eq!(sum, 499_500);
}

#[test]
fn a_context_is_active_on_its_own_stack_only() {
    assert!(!is_active());
    assert!(try_wait(async {}).is_err());
    block_on(run_sync(|| {
        assert!(is_active());
        wait(async { assert!(is_active()) });
    }));
    assert!(!is_active());
}
