//! Every argument of libtest, stable and unstable: the same tests are planned as run, and shared
//! fixtures are made once and end after the last of them.

use std::collections::{BTreeSet, HashMap};
use std::process::Command;

use serde_json::Value;

use super::specimens;

/// Arguments behind the filter `planned::`, and how many tests they run.
const ARGUMENTS: &[(&str, usize)] = &[
    ("", 5),
    ("--format pretty", 5),
    ("--format=pretty", 5),
    ("--format terse", 5),
    ("--format=terse", 5),
    ("-Z unstable-options --format json", 5),
    ("-Zunstable-options --format=json", 5),
    ("-Zunstable-options --format json --show-output", 5),
    ("-Zunstable-options --format=junit", 5),
    ("-Zunstable-options --format junit", 5),
    ("-q", 5),
    ("--quiet", 5),
    ("-qZunstable-options", 5),
    ("-qZ unstable-options", 5),
    ("--logfile LOGFILE", 5),
    ("--logfile=LOGFILE", 5),
    ("--nocapture", 5),
    ("--no-capture", 5),
    ("--show-output", 5),
    ("-Zunstable-options --report-time", 5),
    ("-Zunstable-options --report-time --ensure-time", 5),
    ("-Zunstable-options --shuffle", 5),
    ("-Zunstable-options --shuffle-seed 7", 5),
    ("-Zunstable-options --shuffle-seed=7", 5),
    ("--test-threads 1", 5),
    ("--test-threads=8", 5),
    ("--color always", 5),
    ("--color=never", 5),
    ("--skip first", 4),
    ("--skip=first --skip second", 3),
    ("--skip --ignored", 5),
    ("--exact planned::one::first --skip two", 1),
    ("--include-ignored", 6),
    ("--ignored", 1),
    ("-Zunstable-options --exclude-should-panic", 4),
    ("-Zunstable-options --force-run-in-process", 5),
    ("--test", 5),
    ("--test --bench", 5),
    ("-- planned::two", 5),
    (
        "-Zunstable-options --format=json --skip first -q --include-ignored",
        5,
    ),
];

#[test]
fn the_plan_is_what_runs_whatever_the_arguments_are() {
    for (arguments, count) in ARGUMENTS {
        check(arguments, *count);
    }
}

fn check(arguments: &str, count: usize) {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let file = directory.path().join("events.jsonl");
    let log = directory.path().join("log");
    let output = Command::new(specimens())
        .arg("planned::")
        .args(
            arguments
                .split_whitespace()
                .map(|argument| argument.replace("LOGFILE", &log.to_string_lossy())),
        )
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env("RUSTC_BOOTSTRAP", "1")
        .env("GREEN_LIGHT_EVENTS", &file)
        .env_remove("NEXTEST")
        .env_remove("RUST_TEST_THREADS")
        .output()
        .expect("the specimens run");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{arguments}: {said}{output:?}");
    let events = std::fs::read_to_string(&file).expect("events were written");
    let events: Vec<Value> = events
        .lines()
        .map(|line| serde_json::from_str(line).expect("an event is JSON"))
        .collect();
    let is = |event: &Value, kind: &str| event["ev"] == kind;

    let planned: BTreeSet<_> = events
        .iter()
        .filter(|event| is(event, "PLAN"))
        .flat_map(|event| event["tests"].as_array().into_iter().flatten())
        .filter_map(Value::as_str)
        .collect();
    let ran: BTreeSet<_> = events
        .iter()
        .filter(|event| is(event, "OUTCOME"))
        .filter_map(|event| event["test"].as_str())
        .collect();
    assert_eq!(planned, ran, "{arguments}");
    assert_eq!(ran.len(), count, "{arguments}");

    let modules: BTreeSet<_> = ran.iter().map(|test| test.rsplit_once("::")).collect();
    let modules: BTreeSet<_> = modules
        .into_iter()
        .flatten()
        .map(|(module, _)| module)
        .collect();
    let mut made = HashMap::<&str, usize>::new();
    for event in events.iter().filter(|event| is(event, "SETUP")) {
        *made
            .entry(event["fixture"].as_str().unwrap_or_default())
            .or_default() += 1;
    }
    assert_eq!(made["hub"], 1, "{arguments}: {events:#?}");
    assert_eq!(made["desk"], modules.len(), "{arguments}: {events:#?}");

    let ended = events
        .iter()
        .position(|event| is(event, "TEARDOWN") && event["fixture"] == "hub");
    let called = events.iter().rposition(|event| is(event, "CALL"));
    assert!(
        ended.is_some() && called < ended,
        "{arguments}: {events:#?}"
    );
    if arguments.contains("LOGFILE") {
        let log = std::fs::read_to_string(&log).expect("libtest writes its log");
        // With a line for the ignored one.
        assert_eq!(log.lines().count(), count + 1, "{arguments}: {log}");
    }
}
