//! Whatever is killed, the fixture ends with its run, and nothing is left.

use std::thread;
use std::time::Duration;

use crate::run::{Run, kill};

/// The numbers in lines that begin with `beginning`, the last of each line.
fn last_numbers(run: &Run, beginning: &str) -> Vec<String> {
    let journal = run.journal();
    let lines = journal.iter().filter(|line| line.starts_with(beginning));
    lines
        .filter_map(|line| line.rsplit(' ').next().map(str::to_owned))
        .collect()
}

#[test]
fn it_outlives_its_cargo_as_long_as_a_test_uses_it() {
    let run = Run::new();
    let mut cargo = run.spawn("cargo", "b waiting; b waiting; wait");
    run.make("go");
    run.wait_for("holding", 2);
    kill(&cargo.id().to_string());
    cargo.wait().unwrap();
    let tests = last_numbers(&run, "holding");
    kill(&tests[0]);
    assert_eq!(run.keepers().len(), 1);
    assert_eq!(run.count("slow down"), 0);
    kill(&tests[1]);
    run.wait_for("slow down", 1);
    run.ends();
    assert_eq!(run.count("slow up"), 1);
}

#[test]
fn it_ends_when_everything_else_is_killed_at_once() {
    let run = Run::new();
    let mut nextest = run.spawn("cargo-nextest", "b waiting; b waiting; wait");
    run.make("go");
    run.wait_for("holding", 2);
    kill(&format!("-{}", nextest.id()));
    nextest.wait().unwrap();
    run.wait_for("slow down", 1);
    run.ends();
}

#[test]
fn a_set_up_that_no_process_waits_for_is_cancelled_and_undone() {
    let run = Run::new();
    let mut cargo = run.spawn("cargo", "b waiting; b waiting; wait");
    run.wait_for("setting up", 1);
    kill(&format!("-{}", cargo.id()));
    cargo.wait().unwrap();
    run.wait_for("slow down", 1);
    run.ends();
    assert_eq!(run.count("slow up"), 0);
}

#[test]
fn a_killed_keeper_is_an_error_for_those_who_wait_and_replaced_for_others() {
    let run = Run::new();
    let cargo = run.spawn("cargo", "t waiting; t waiting");
    run.wait_for("setting up", 1);
    kill(&last_numbers(&run, "setting up")[0]);
    run.wait_for("setting up", 2);
    run.make("go");
    run.make("end");
    let output = cargo.wait_with_output().unwrap();
    let text = crate::run::text(&output);
    assert!(output.status.success(), "{text}");
    assert!(text.contains("ended in the middle of the set-up"), "{text}");
    run.wait_for("slow down", 1);
    run.ends();
    assert_eq!(run.count("slow up"), 1);
}

/// Kills all of a run at about every millisecond of its start, and then what one process of it has begun.
#[test]
fn a_run_that_is_killed_in_its_start_leaves_no_keeper() {
    let run = Run::new();
    for delay in (0..60).step_by(3) {
        let script = "b ordered; b ordered; b plain::one; wait";
        let mut nextest = run.spawn("cargo-nextest", script);
        thread::sleep(Duration::from_millis(delay));
        kill(&format!("-{}", nextest.id()));
        nextest.wait().unwrap();
    }
    run.ends();
    for (up, down) in [("server up", "server down"), ("client up", "client down")] {
        assert_eq!(run.count(up), run.count(down), "{up}: {:?}", run.journal());
    }
}

#[test]
fn a_process_that_is_killed_in_its_start_spoils_nothing_for_the_others() {
    let run = Run::new();
    // One of the processes is killed a few milliseconds after it began, whatever it is doing then.
    let script = "for n in 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do \
                  b plain::one; victim=$!; b plain::two; other=$!; \
                  sleep 0.0$n; kill -KILL $victim; wait $other || exit 1; done";
    run.output(script, true);
    run.ends();
    assert!(run.count("used") >= 16);
    assert_eq!(run.count("server up"), run.count("server down"));
}
