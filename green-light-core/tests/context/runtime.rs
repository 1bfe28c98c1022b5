//! The shared runtime, and where output goes.

use std::thread;
use std::time::Duration;

use green_light_core::runtime;

use crate::support::{in_child, in_child_all, text};

#[test]
fn there_is_one_runtime_for_all_threads() {
    let ids: Vec<_> = (0..4)
        .map(|_| thread::spawn(|| runtime::handle().unwrap().id()))
        .map(|thread| thread.join().unwrap())
        .collect();
    assert!(ids.iter().all(|id| *id == runtime::handle().unwrap().id()));
}

#[test]
fn it_has_two_workers_or_more() {
    assert!(runtime::handle().unwrap().metrics().num_workers() >= 2);
}

#[test]
fn the_future_runs_on_the_calling_thread() {
    let here = thread::current().id();
    assert_eq!(
        runtime::block_on(async { thread::current().id() }).unwrap(),
        here
    );
}

#[test]
fn a_runtime_inside_a_runtime_is_refused_with_help() {
    let error = runtime::block_on(async { runtime::block_on(async {}).unwrap_err() }).unwrap();
    assert!(error.is_inside_a_runtime());
    let said = error.to_string();
    assert!(
        said.contains("\n  help: ") && said.contains("`#[tokio::test]`"),
        "{said}"
    );
}

#[test]
fn what_spawned_tasks_say_is_not_lost_with_the_test_that_made_the_runtime() {
    let output = in_child("runtime::talking", &[]);
    assert!(output.status.success(), "{}", text(&output));
    let said = text(&output);
    // The test passes, so what libtest captured of it is not shown; what tasks say is.
    assert!(said.contains("a task prints"), "{said}");
    assert!(said.contains("a task panics"), "{said}");
    assert!(!said.contains("the test prints"), "{said}");
}

#[test]
#[ignore = "started by the test above, in a process of its own"]
fn talking() {
    println!("the test prints");
    runtime::block_on(async {
        tokio::spawn(async { println!("a task prints") })
            .await
            .unwrap();
        let panicked = tokio::spawn(async { panic!("a task panics") }).await;
        assert!(panicked.unwrap_err().is_panic());
    })
    .unwrap();
}

#[test]
fn blocking_tasks_print_into_the_output_of_the_test_that_asks() {
    // Both run in one process, one after the other; the first must not keep a thread for the second.
    let output = in_child_all("runtime::blocking_");
    let said = text(&output);
    assert_eq!(output.status.code(), Some(101), "{said}");
    let shown = said
        .split("---- runtime::blocking_two stdout ----")
        .nth(1)
        .unwrap_or_default();
    assert!(shown.contains("the second blocking task"), "{said}");
    assert!(!said.contains("the first blocking task"), "{said}");
}

#[test]
#[ignore = "started by the test above, in a process of its own"]
fn blocking_one() {
    blocking("the first blocking task");
}

#[test]
#[ignore = "started by the test above, in a process of its own"]
fn blocking_two() {
    blocking("the second blocking task");
    panic!("so that the output is shown");
}

#[expect(clippy::print_stdout, reason = "where it appears is what is tested")]
fn blocking(what: &'static str) {
    let printed = runtime::block_on(async move {
        let printed = tokio::task::spawn_blocking(move || println!("{what}")).await;
        // The thread ends by itself, a moment after its task.
        tokio::time::sleep(Duration::from_millis(20)).await;
        printed
    });
    assert!(matches!(printed, Ok(Ok(()))));
}
