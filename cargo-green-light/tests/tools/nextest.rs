//! A run by nextest: a process for each test.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::command::{WITH_ALL_FEATURES, green_light, text};

#[test]
fn under_nextest_all_processes_are_one_run_on_as_many_lanes_as_tests_run_at_once() {
    let arguments = [
        "timeline",
        "-p",
        "green-light",
        "--runner",
        "nextest",
        "--json",
        "--",
    ];
    let output = green_light(&arguments)
        .args(WITH_ALL_FEATURES)
        .args([
            "--test",
            "thousand",
            "--test-threads",
            "3",
            "--no-fail-fast",
            "g0::m1::",
        ])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", text(&output));
    let run: Value = serde_json::from_slice(&output.stdout).unwrap();
    let tests = run["tests"].as_array().unwrap();
    let processes: BTreeSet<_> = tests.iter().map(|test| test["process"].as_u64()).collect();
    assert_eq!((tests.len(), processes.len()), (10, 10));
    assert_eq!(run["programs"].as_array().unwrap().len(), 1);
    assert_eq!(run["programs"][0]["runner"], "nextest");
    assert!(run["lanes"].as_u64().unwrap() <= 3, "{}", run["lanes"]);
}
