//! Synchronous clients in parallel, and how their join fails.

use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use green_light_core::{Crowd, CrowdFailure, context, runtime};
use tokio::time::sleep;

use crate::support::{in_child, text};

const LONG: Duration = Duration::from_secs(30);
const SHORT: Duration = Duration::from_millis(50);

fn join(crowd: &Crowd, deadline: Duration) -> Result<(), CrowdFailure> {
    runtime::block_on(crowd.join(deadline)).expect("a test is in no runtime")
}

#[test]
fn a_thousand_members_wait_at_the_same_time() {
    let crowd = Crowd::new();
    let arrived = Arc::new(AtomicUsize::new(0));
    let seen = Arc::new(Mutex::new(HashSet::new()));
    for _ in 0..1000 {
        let (arrived, seen) = (Arc::clone(&arrived), Arc::clone(&seen));
        crowd.spawn(move |member| {
            arrived.fetch_add(1, Ordering::SeqCst);
            let others = Arc::clone(&arrived);
            // Nobody leaves before everybody has come.
            member.wait(async move {
                while others.load(Ordering::SeqCst) < 1000 {
                    sleep(Duration::from_millis(1)).await;
                }
            });
            seen.lock().unwrap().insert(member.index());
        });
    }
    join(&crowd, LONG).unwrap();
    assert_eq!(seen.lock().unwrap().len(), 1000);
}

#[test]
fn futures_of_members_run_on_the_shared_runtime() {
    let crowd = Crowd::new();
    crowd.spawn(|member| {
        let name = member.wait(async { thread::current().name().map(str::to_owned) });
        assert_eq!(name.as_deref(), Some("green-light-worker"));
    });
    join(&crowd, LONG).unwrap();
}

#[test]
fn a_panic_of_a_member_fails_the_join_with_message_and_place() {
    let crowd = Crowd::new();
    crowd.spawn(|_| ());
    crowd.spawn(|member| {
        member.wait(sleep(Duration::from_millis(1)));
        assert_eq!(1 + 1, 3, "arithmetic");
    });
    let failure = join(&crowd, LONG).unwrap_err();
    assert_eq!((failure.panicked(), failure.late()), (1, 0));
    let said = failure.to_string();
    assert!(
        said.starts_with("1 of 2 crowd members panicked\n  member 1 panicked at "),
        "{said}"
    );
    assert!(said.contains("tests/context/crowd.rs:"), "{said}");
    assert!(said.contains("arithmetic"), "{said}");
    assert_eq!(format!("{failure:?}"), said, "`unwrap` prints this");
}

#[test]
fn a_panic_of_a_future_reaches_its_member_with_payload_and_place() {
    let crowd = Crowd::new();
    crowd.spawn(|member| {
        let thrown = catch_unwind(AssertUnwindSafe(|| member.wait(async { panic!("first") })));
        assert_eq!(thrown.unwrap_err().downcast_ref(), Some(&"first"));
        member.wait(async { panic!("second") });
    });
    let said = join(&crowd, LONG).unwrap_err().to_string();
    assert!(
        said.contains("tests/context/crowd.rs:") && said.contains("second"),
        "{said}"
    );
}

#[test]
fn a_deadline_cancels_the_members_that_wait() {
    static DROPPED: AtomicUsize = AtomicUsize::new(0);
    struct Value;
    impl Drop for Value {
        fn drop(&mut self) {
            DROPPED.fetch_add(1, Ordering::SeqCst);
        }
    }
    let crowd = Crowd::new();
    for _ in 0..10 {
        crowd.spawn(|member| {
            let _value = Value;
            member.wait(std::future::pending::<()>());
        });
    }
    crowd.spawn(|_| ());
    let failure = join(&crowd, SHORT).unwrap_err();
    assert_eq!((failure.panicked(), failure.late()), (0, 10));
    assert_eq!(DROPPED.load(Ordering::SeqCst), 10);
    let said = failure.to_string();
    assert!(
        said.contains("10 of 11 crowd members were not done after 50ms and were cancelled"),
        "{said}"
    );
    assert!(
        said.contains("spawned at green-light-core/tests/context/crowd.rs:"),
        "{said}"
    );
    // The crowd can be used again.
    crowd.spawn(|member| member.wait(sleep(Duration::from_millis(1))));
    join(&crowd, LONG).unwrap();
}

#[test]
fn a_cancelled_member_may_wait_in_its_destructors() {
    struct AsyncDrop<'a>(&'a green_light_core::Member, Arc<AtomicBool>);
    impl Drop for AsyncDrop<'_> {
        fn drop(&mut self) {
            let answer = self.0.wait(async {
                sleep(Duration::from_millis(5)).await;
                true
            });
            self.1.store(answer, Ordering::SeqCst);
        }
    }
    let ended = Arc::new(AtomicBool::new(false));
    let crowd = Crowd::new();
    let inside = Arc::clone(&ended);
    crowd.spawn(move |member| {
        let _guard = AsyncDrop(&member, inside);
        member.wait(std::future::pending::<()>());
    });
    assert_eq!(join(&crowd, SHORT).unwrap_err().late(), 1);
    assert!(ended.load(Ordering::SeqCst));
}

#[test]
fn a_member_that_blocks_elsewhere_is_named() {
    let crowd = Crowd::new();
    let open = Arc::new(may::sync::SyncFlag::new());
    let gate = Arc::clone(&open);
    crowd.spawn(move |_| gate.wait());
    let said = join(&crowd, SHORT).unwrap_err().to_string();
    assert!(
        said.contains("1 of 1 crowd members were not done after 50ms and cannot be"),
        "{said}"
    );
    assert!(said.contains("help: write `member.wait(future)`"), "{said}");
    open.fire();
    join(&crowd, LONG).unwrap();
}

#[test]
fn wait_in_a_member_says_what_to_write() {
    let crowd = Crowd::new();
    crowd.spawn(|_| {
        assert!(!context::is_active());
        let error = context::try_wait(async {}).unwrap_err();
        assert!(
            error
                .to_string()
                .contains("help: write `member.wait(future)`"),
            "{error}"
        );
        context::wait(async {});
    });
    let said = join(&crowd, LONG).unwrap_err().to_string();
    assert!(
        said.contains("no green-light context in a crowd member"),
        "{said}"
    );
}

#[test]
fn a_context_cannot_be_entered_in_a_member() {
    let crowd = Crowd::new();
    crowd.spawn(|_| futures::executor::block_on(context::run_sync(|| ())));
    let said = join(&crowd, LONG).unwrap_err().to_string();
    assert!(
        said.contains("cannot be entered on a may coroutine"),
        "{said}"
    );
}

#[test]
fn a_crowd_that_is_dropped_cancels_its_members() {
    let gone = Arc::new(may::sync::SyncFlag::new());
    struct Fire(Arc<may::sync::SyncFlag>);
    impl Drop for Fire {
        fn drop(&mut self) {
            self.0.fire();
        }
    }
    let fire = Fire(Arc::clone(&gone));
    let crowd = Crowd::new();
    crowd.spawn(move |member| {
        let _fire = fire;
        member.wait(std::future::pending::<()>());
    });
    drop(crowd);
    assert!(gone.wait_timeout(LONG));
}

#[test]
#[cfg(target_os = "linux")]
fn the_first_spawn_starts_may_with_two_workers_or_more_and_pins_none() {
    let output = in_child("crowd::starting_may", &[]);
    assert!(output.status.success(), "{}", text(&output));
}

/// The processors that each thread of this process may run on.
#[cfg(target_os = "linux")]
fn affinities() -> Vec<String> {
    let tasks = std::fs::read_dir("/proc/self/task").expect("Linux lists threads");
    tasks
        .filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("status")).ok())
        .filter_map(|status| {
            let line = status
                .lines()
                .find(|line| line.starts_with("Cpus_allowed:"));
            line.map(str::to_owned)
        })
        .collect()
}

#[test]
#[cfg(target_os = "linux")]
#[ignore = "started by the test above, in a process of its own"]
fn starting_may() {
    // The runtime has threads of its own.
    runtime::handle().unwrap();
    let before = affinities();
    let crowd = Crowd::new();
    join(&crowd, LONG).unwrap();
    assert_eq!(affinities().len(), before.len(), "nobody needs may yet");
    // Two that can only go on together: each blocks a worker.
    let meeting = Arc::new(std::sync::Barrier::new(2));
    for _ in 0..2 {
        let meeting = Arc::clone(&meeting);
        crowd.spawn(move |_| {
            meeting.wait();
        });
    }
    join(&crowd, LONG).unwrap();
    let after = affinities();
    assert!(after.len() >= before.len() + 2, "{before:?} {after:?}");
    assert!(after.iter().all(|one| *one == before[0]), "{after:?}");
}

#[test]
fn may_is_as_it_was_once_it_runs() {
    let crowd = Crowd::new();
    crowd.spawn(|_| ());
    join(&crowd, LONG).unwrap();
    let config = may::config();
    assert_eq!(
        (config.get_pool_capacity(), config.get_stack_size()),
        (1000, 0x1000)
    );
    assert!(config.get_worker_pin());
}

#[test]
fn an_application_that_configures_may_keeps_its_configuration() {
    let output = in_child("crowd::with_a_configured_may", &[]);
    assert!(output.status.success(), "{}", text(&output));
}

#[test]
#[ignore = "started by the test above, in a process of its own"]
fn with_a_configured_may() {
    may::config().set_workers(1).set_pool_capacity(3);
    let crowd = Crowd::new();
    let threads = Arc::new(Mutex::new(HashSet::new()));
    for _ in 0..50 {
        let threads = Arc::clone(&threads);
        crowd.spawn(move |member| {
            member.wait(sleep(Duration::from_millis(1)));
            threads.lock().unwrap().insert(thread::current().id());
        });
    }
    join(&crowd, LONG).unwrap();
    assert_eq!(threads.lock().unwrap().len(), 1);
    assert_eq!(may::config().get_pool_capacity(), 3);
}

#[test]
fn an_overflow_of_a_member_ends_the_process() {
    let output = in_child("crowd::with_an_overflow", &[]);
    assert!(!output.status.success());
    assert!(
        text(&output).contains("coroutine has overflowed its stack"),
        "{}",
        text(&output)
    );
}

#[test]
#[ignore = "started by the test above, in a process of its own"]
fn with_an_overflow() {
    let crowd = Crowd::new();
    crowd.spawn(|_| assert_ne!(crate::overflow::endless(0), 1));
    let _ = join(&crowd, LONG);
}
