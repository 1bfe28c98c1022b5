//! State of the thread that is held across a wait: one test for each row of the table in the documentation.

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::Mutex;
use std::thread;
use std::time::Duration;

use green_light_core::context::{run_sync, wait};
use tokio::runtime::Handle;
use tokio::task::yield_now;
use tokio::time::sleep;

use crate::support::{OnDrop, block_on, in_child, text};

thread_local! {
    static LEVEL: Cell<u32> = const { Cell::new(0) };
    static LIST: RefCell<Vec<u32>> = const { RefCell::new(Vec::new()) };
}

/// A guard in the manner of `tracing`'s `Entered`.
struct Level(u32);

impl Level {
    fn enter(level: u32) -> Self {
        Level(LEVEL.replace(level))
    }
}

impl Drop for Level {
    fn drop(&mut self) {
        LEVEL.set(self.0);
    }
}

/// Polls two contexts in turn; the second looks while the first is suspended.
fn look_meanwhile<T: 'static>(
    hold: impl FnOnce() + 'static,
    look: impl FnOnce() -> T + 'static,
) -> T {
    block_on(async { futures::join!(run_sync(hold), run_sync(look)).1 })
}

#[test]
fn an_entered_guard_is_seen_by_what_the_thread_polls_meanwhile() {
    let hold = || {
        let _entered = Level::enter(1);
        wait(yield_now());
        assert_eq!(LEVEL.get(), 1);
    };
    assert_eq!(look_meanwhile(hold, || LEVEL.get()), 1);
    assert_eq!(LEVEL.get(), 0);
}

#[test]
fn entered_guards_that_overlap_are_restored_in_the_wrong_order() {
    let first = || {
        let _entered = Level::enter(1);
        wait(yield_now());
    };
    let second = || {
        let _entered = Level::enter(2);
        wait(async {
            yield_now().await;
            yield_now().await;
        });
    };
    look_meanwhile(first, second);
    // The first guard has put back 0, the second then 1.
    assert_eq!(LEVEL.replace(0), 1);
}

#[test]
fn an_entered_runtime_is_seen_meanwhile() {
    let other = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let id = other.handle().id();
    let hold = move || {
        let _entered = other.enter();
        wait(yield_now());
        drop(_entered);
        // A runtime cannot be dropped where blocking is not allowed.
        other.shutdown_background();
    };
    assert!(look_meanwhile(hold, move || Handle::current().id() == id));
}

#[test]
fn a_task_local_scope_ends_where_its_poll_is_suspended() {
    tokio::task_local! {
        static NAME: &'static str;
    }
    // Around a context it works, as around any future.
    block_on(NAME.scope(
        "outer",
        run_sync(|| {
            wait(yield_now());
            assert_eq!(NAME.get(), "outer");
        }),
    ));
    // Around a `wait` in its own poll it is seen by others meanwhile.
    let hold = || NAME.sync_scope("inner", || wait(yield_now()));
    assert_eq!(
        look_meanwhile(hold, || NAME.try_with(|name| *name).ok()),
        Some("inner")
    );
}

#[test]
fn panicking_is_seen_meanwhile_when_a_destructor_waits() {
    let hold = || {
        let unwound = catch_unwind(|| {
            let _end = OnDrop(|| wait(yield_now()));
            panic!("unwinding");
        });
        assert!(unwound.is_err());
    };
    assert!(look_meanwhile(hold, thread::panicking));
    assert!(!thread::panicking());
}

#[test]
fn a_panic_is_caught_while_another_stack_unwinds() {
    let hold = || {
        let unwound = catch_unwind(|| {
            let _end = OnDrop(|| wait(yield_now()));
            panic!("unwinding");
        });
        assert!(unwound.is_err());
    };
    let caught = look_meanwhile(hold, || catch_unwind(|| panic!("meanwhile")));
    assert_eq!(caught.unwrap_err().downcast_ref(), Some(&"meanwhile"));
    assert!(!thread::panicking());
}

#[test]
fn a_mutex_taken_by_others_meanwhile_is_not_poisoned() {
    let mutex = Rc::new(Mutex::new(()));
    let inside = Rc::clone(&mutex);
    let hold = || {
        let _ = catch_unwind(|| {
            let _end = OnDrop(|| wait(yield_now()));
            panic!("unwinding");
        });
    };
    look_meanwhile(hold, move || drop(inside.lock().unwrap()));
    assert!(!mutex.is_poisoned());
}

#[test]
fn a_borrow_of_a_thread_local_is_in_the_way_meanwhile() {
    let hold = || {
        LIST.with_borrow_mut(|list| {
            wait(yield_now());
            list.push(1);
        });
    };
    let failed = look_meanwhile(hold, || LIST.with(|list| list.try_borrow().is_err()));
    assert!(failed);
    assert_eq!(LIST.take(), [1]);
}

#[test]
fn a_mutex_guard_is_in_the_way_of_the_same_thread() {
    let mutex = Rc::new(Mutex::new(0));
    let (held, tried) = (Rc::clone(&mutex), Rc::clone(&mutex));
    let hold = move || {
        let mut guard = held.lock().unwrap();
        wait(yield_now());
        *guard += 1;
    };
    // `lock` would wait for ever: the owner of the guard runs on this very thread.
    assert!(look_meanwhile(hold, move || tried.try_lock().is_err()));
    assert_eq!(*mutex.lock().unwrap(), 1);
}

#[test]
fn output_is_captured_for_the_test_on_both_sides_of_a_wait() {
    let output = in_child("state::printing", &[]);
    let said = text(&output);
    assert_eq!(output.status.code(), Some(101), "{said}");
    let captured = said
        .split("---- state::printing stdout ----")
        .nth(1)
        .unwrap_or_default();
    for line in ["before the wait", "during the wait", "after the wait"] {
        assert!(captured.contains(line), "{said}");
    }
}

#[test]
#[ignore = "started by the test above, in a process of its own"]
fn printing() {
    block_on(run_sync(|| {
        println!("before the wait");
        wait(async {
            sleep(Duration::from_millis(1)).await;
            println!("during the wait");
        });
        println!("after the wait");
        panic!("so that the output is shown");
    }));
}

#[test]
fn blocking_calls_of_may_keep_thread_and_values() {
    let values = Rc::new(RefCell::new(Vec::new()));
    let inside = Rc::clone(&values);
    block_on(run_sync(move || {
        let here = thread::current().id();
        let mutex = std::sync::Arc::new(may::sync::Mutex::new(0));
        may::coroutine::sleep(Duration::from_millis(3));
        assert_eq!(thread::current().id(), here);
        let theirs = std::sync::Arc::clone(&mutex);
        let (sender, receiver) = may::sync::mpsc::channel();
        let other = thread::spawn(move || {
            let guard = theirs.lock().unwrap();
            sender.send(()).unwrap();
            thread::sleep(Duration::from_millis(10));
            drop(guard);
        });
        receiver.recv().unwrap();
        *mutex.lock().unwrap() += 1;
        may::coroutine::yield_now();
        wait(sleep(Duration::from_millis(1)));
        assert_eq!(thread::current().id(), here);
        inside.borrow_mut().push(1);
        other.join().unwrap();
    }));
    assert_eq!(*values.borrow(), [1]);
    assert_eq!(Rc::strong_count(&values), 1);
}

#[test]
fn a_pool_made_in_one_context_serves_later_ones() {
    // On the shared runtime, which outlives every test.
    let (sender, receiver) =
        tokio::sync::mpsc::unbounded_channel::<tokio::sync::oneshot::Sender<u32>>();
    green_light_core::runtime::block_on(run_sync(move || {
        let mut receiver = receiver;
        wait(async move {
            tokio::spawn(async move {
                let mut served = 0;
                while let Some(reply) = receiver.recv().await {
                    served += 1;
                    sleep(Duration::from_micros(10)).await;
                    let _ = reply.send(served);
                }
            });
        });
    }))
    .unwrap();
    let ask = |sender: tokio::sync::mpsc::UnboundedSender<_>| {
        run_sync(move || {
            let (reply, answer) = tokio::sync::oneshot::channel();
            sender.send(reply).unwrap();
            wait(answer).unwrap()
        })
    };
    let threads: Vec<_> = (0..8)
        .map(|_| {
            let sender = sender.clone();
            thread::spawn(move || {
                for _ in 0..125 {
                    let served = green_light_core::runtime::block_on(ask(sender.clone())).unwrap();
                    assert!(served > 0);
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    let last = green_light_core::runtime::block_on(ask(sender)).unwrap();
    assert_eq!(last, 1001);
}

#[test]
fn a_catch_outside_of_a_wait_sees_nothing_of_it() {
    let result = catch_unwind(AssertUnwindSafe(|| {
        block_on(run_sync(|| wait(async { 3 })))
    }));
    assert_eq!(result.unwrap(), 3);
}
