//! What a request costs. It prints figures, and asserts none:
//!
//! `cargo test -p green-light-core --test run_scope of_a_value -- --ignored --nocapture`

use std::fs;
use std::time::Duration;

use crate::run::Run;

/// How many processes each figure is of.
const PROCESSES: usize = 200;
/// How many starts of a keeper.
const STARTS: usize = 20;

/// The median of how long `test` takes in each of `count` processes of one run, in which `first` has run before.
fn took(first: &str, test: &str, count: usize) -> Duration {
    let run = Run::new();
    let script = format!(
        "t {first} >/dev/null || exit 1; n=0
         while [ $n -lt {count} ]; do
             began=$(date +%s%N); t {test} >/dev/null || exit 1; ended=$(date +%s%N)
             echo $((ended - began)) >>$RUN_DIRECTORY/times; n=$((n + 1))
         done"
    );
    run.output(&script, true);
    run.ends();
    let times = fs::read_to_string(run.directory.join("times")).unwrap();
    median(times.lines().map(|time| time.parse().unwrap()).collect())
}

fn median(mut times: Vec<u64>) -> Duration {
    times.sort_unstable();
    Duration::from_nanos(times[times.len() / 2])
}

#[test]
#[ignore = "it measures"]
fn of_a_value_that_is_up_and_of_the_first_start() {
    let without = took("costs::nothing", "costs::nothing", PROCESSES);
    let with = took("plain::one", "plain::one", PROCESSES);
    println!("a process without a `run` fixture: {without:?}");
    println!("a process that requests one that is up: {with:?}");
    let starts = |test: &str| {
        let times = (0..STARTS).map(|_| took("costs::nothing", test, 1).as_nanos());
        median(times.map(|time| u64::try_from(time).unwrap()).collect())
    };
    let (without, with) = (starts("costs::nothing"), starts("plain::one"));
    println!("the same for the first: {without:?}; with the start of the keeper: {with:?}");
}
