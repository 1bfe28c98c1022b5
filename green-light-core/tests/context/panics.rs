//! A panic on a stack of its own reaches the poller.

use std::panic::{self, AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::thread;
use std::time::Duration;

use green_light_core::context::{is_cancelled_payload, run_sync, wait};
use tokio::time::sleep;

use crate::support::{block_on, in_child, text};

#[test]
fn a_panic_reaches_the_poller_with_its_payload() {
    #[derive(Debug, PartialEq)]
    struct Payload(u32);
    let value = Rc::new(());
    let inside = Rc::clone(&value);
    let thrown = catch_unwind(AssertUnwindSafe(|| {
        block_on(run_sync(move || {
            let _inside = inside;
            wait(sleep(Duration::from_millis(1)));
            panic::panic_any(Payload(7));
        }))
    }));
    let payload = thrown.unwrap_err();
    assert!(!is_cancelled_payload(&*payload));
    assert_eq!(payload.downcast_ref(), Some(&Payload(7)));
    assert_eq!(Rc::strong_count(&value), 1);
}

#[test]
fn a_panic_passes_through_nested_contexts() {
    let thrown = catch_unwind(|| {
        block_on(run_sync(|| {
            wait(run_sync(|| wait(async { panic!("deep") })))
        }))
    });
    assert_eq!(thrown.unwrap_err().downcast_ref(), Some(&"deep"));
}

#[test]
fn a_caught_panic_leaves_the_context_usable() {
    let sum = block_on(run_sync(|| {
        let thrown = catch_unwind(|| wait(async { panic!("once") }));
        assert!(thrown.is_err());
        wait(sleep(Duration::from_millis(1)));
        wait(async { 5 })
    }));
    assert_eq!(sum, 5);
}

#[test]
fn the_stack_of_a_panic_serves_later_contexts() {
    for _ in 0..10 {
        assert!(catch_unwind(|| block_on(run_sync(|| panic!("again")))).is_err());
        assert_eq!(block_on(run_sync(|| wait(async { 1 }))), 1);
    }
}

#[test]
fn a_panic_is_printed_under_the_name_of_its_test() {
    let output = in_child("panics::panicking", &[]);
    assert_eq!(output.status.code(), Some(101));
    let said = text(&output);
    assert!(
        said.contains("---- panics::panicking stdout ----"),
        "{said}"
    );
    assert!(said.contains("thread 'panics::panicking'"), "{said}");
    assert!(said.contains("tests/context/panics.rs:"), "{said}");
    assert_eq!(said.matches("said once").count(), 1, "{said}");
}

#[test]
#[ignore = "started by the test above, in a process of its own"]
fn panicking() {
    block_on(run_sync(|| {
        wait(sleep(Duration::from_millis(1)));
        assert_eq!(thread::current().name(), Some("panics::panicking"));
        panic!("said once");
    }));
}

#[test]
fn a_context_may_be_the_first_of_its_process_while_the_thread_panics() {
    let output = in_child("panics::first_while_panicking", &[]);
    assert_eq!(output.status.code(), Some(101), "{}", text(&output));
    assert!(
        text(&output).contains("the destructor got 3"),
        "{}",
        text(&output)
    );
}

#[test]
#[ignore = "started by the test above, in a process of its own"]
fn first_while_panicking() {
    struct AsyncDrop;
    impl Drop for AsyncDrop {
        fn drop(&mut self) {
            let got = block_on(run_sync(|| {
                wait(sleep(Duration::from_millis(1)));
                3
            }));
            println!("the destructor got {got}");
        }
    }
    let _guard = AsyncDrop;
    panic!("the test's own");
}
