//! `cargo green-light timeline`.

use std::fs;

use serde_json::Value;

use crate::command::{green_light, on_tests, text};

#[test]
fn a_run_with_failures_becomes_a_page_and_its_code_is_that_of_the_runner() {
    let directory = tempfile::tempdir().unwrap();
    let page = directory.path().join("deep/page.html");
    let page_argument = page.to_str().unwrap();
    let arguments = ["timeline", "--output", page_argument];
    // Some of these tests fail.
    let output = on_tests(&arguments, "specimens", &["events::"])
        .output()
        .unwrap();
    let said = text(&output);
    assert_eq!(output.status.code(), Some(101), "{said}");
    assert!(said.contains("8 tests in "), "{said}");
    assert!(said.contains("3 failed"), "{said}");
    assert!(said.contains("slowest tests"), "{said}");
    assert!(
        said.contains(&format!("the timeline is in {page_argument}")),
        "{said}"
    );
    let page = fs::read_to_string(page).unwrap();
    assert!(page.contains("<title>green-light: timeline of the tests</title>"));
    assert!(page.contains("events::c_errs"));
    for mark in [
        "/* DATA */",
        "/* STYLE */",
        "/* PROGRAM */",
        "http://",
        "https://",
        "src=",
        "@import",
    ] {
        assert!(!page.contains(mark), "the page has {mark}");
    }
}

#[test]
fn json_tells_the_phases_the_waits_and_where_all_time_went() {
    let output = on_tests(
        &["timeline", "--json"],
        "thousand",
        &["--test-threads", "4"],
    )
    .output()
    .unwrap();
    assert!(output.status.success(), "{}", text(&output));
    // Nothing else is on stdout.
    let run: Value = serde_json::from_slice(&output.stdout).unwrap();
    let tests = run["tests"].as_array().unwrap();
    assert_eq!((tests.len(), run["lanes"].as_u64()), (1000, Some(4)));
    assert_eq!(run["programs"][0]["name"], "thousand");
    let number = |value: &Value| value.as_f64().unwrap();
    let mut ended = [0.0; 4];
    for test in tests {
        let lane = usize::try_from(test["lane"].as_u64().unwrap()).unwrap();
        assert!(
            ended[lane] <= number(&test["began"]) + 1e-5,
            "tests overlap in a lane: {test}"
        );
        ended[lane] = number(&test["ended"]);
        let phases = ["setup", "waited", "body", "teardown"].map(|phase| number(&test[phase]));
        let took = number(&test["ended"]) - number(&test["began"]);
        assert!((phases.iter().sum::<f64>() - took).abs() < 1e-5, "{test}");
        assert_eq!(test["outcome"], "passed");
    }
    let steps = tests
        .iter()
        .flat_map(|test| test["steps"].as_array().unwrap());
    let kinds: Vec<_> = steps
        .map(|step| {
            (
                step["kind"].as_str().unwrap(),
                step["name"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        kinds
            .iter()
            .filter(|step| **step == ("setup", "engine"))
            .count(),
        1
    );
    assert_eq!(
        kinds
            .iter()
            .filter(|step| **step == ("setup", "transaction"))
            .count(),
        1000
    );
    // Four tests begin at once, and one of them makes what they share.
    assert!(kinds.iter().any(|(kind, _)| *kind == "wait"));
    let shares = run["shares"].as_array().unwrap();
    let all: f64 = shares.iter().map(|share| number(&share["part"])).sum();
    assert!(
        (all - 1.0).abs() < 1e-3,
        "the shares are {all} of all time: {shares:?}"
    );
}

/// What tests have waited for, in a run of two of them.
fn waits(filter: &str) -> Vec<String> {
    let selected = [filter, "--test-threads=2"];
    let output = on_tests(&["timeline", "--json"], "specimens", &selected)
        // One for the process, and one for a test.
        .env("GREEN_LIGHT_CONNECTIONS", "2")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", text(&output));
    let run: Value = serde_json::from_slice(&output.stdout).unwrap();
    let tests = run["tests"].as_array().unwrap();
    assert_eq!(tests.len(), 2);
    let steps = tests
        .iter()
        .flat_map(|test| test["steps"].as_array().unwrap());
    let waits = steps.filter(|step| step["kind"] == "wait");
    let waits: Vec<_> = waits
        .map(|step| step["name"].as_str().unwrap().to_owned())
        .collect();
    let shares = run["shares"].as_array().unwrap();
    let lost = shares.iter().find(|share| share["what"] == "wait");
    let causes = lost.expect("time was lost by waits")["causes"].to_string();
    assert!(
        waits.iter().all(|wait| causes.contains(wait.as_str())),
        "{causes}"
    );
    waits
}

#[test]
fn waits_for_databases_and_connections_are_told_from_set_up() {
    let shared = waits("_shares");
    assert!(
        shared.iter().any(|wait| wait == "the shared database"),
        "{shared:?}"
    );
    let server = waits("has_connections");
    assert!(
        server
            .iter()
            .any(|wait| wait == "a connection of the server"),
        "{server:?}"
    );
}

fn refused(arguments: &[&str]) -> String {
    let output = green_light(arguments).output().unwrap();
    let said = text(&output);
    assert_eq!(output.status.code(), Some(2), "{said}");
    said
}

#[test]
fn each_mistake_says_what_where_and_what_to_do() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("events.jsonl");
    let name = file.to_str().unwrap();
    let missing = refused(&["timeline", "--events", name]);
    assert!(
        missing.contains(&format!("error: the event file `{name}` cannot be read")),
        "{missing}"
    );
    assert!(
        missing.contains("help: name a file that a run with `GREEN_LIGHT_EVENTS=FILE` has written"),
        "{missing}"
    );

    fs::write(&file, "").unwrap();
    let empty = refused(&["timeline", "--events", name]);
    assert!(
        empty.contains(&format!("error: there is no test in `{name}`")),
        "{empty}"
    );

    fs::write(&file, "{\"ev\":\"PLAN\",\"tests\":[],\"time\":1.0}\n").unwrap();
    let old = refused(&["timeline", "--events", name]);
    assert!(
        old.contains("line 1 of") && old.contains("does not say which process wrote it"),
        "{old}"
    );

    fs::write(&file, "<html>\n").unwrap();
    let other = refused(&["timeline", "--events", name]);
    assert!(
        other.contains("line 1 of") && other.contains("is no event"),
        "{other}"
    );

    let project = refused(&["timeline", "--manifest-path", name]);
    assert!(
        project.contains("error: cargo finds no project: "),
        "{project}"
    );
    assert!(
        project.contains("help: run the command in the directory of a project"),
        "{project}"
    );

    let package = refused(&["timeline", "-p", "geen-light"]);
    assert!(
        package.contains("there is no package `geen-light`"),
        "{package}"
    );
    assert!(package.contains("`green-light-core`"), "{package}");
}

#[test]
fn a_filter_that_leaves_nothing_is_an_error_that_says_so() {
    let output = on_tests(&["timeline"], "thousand", &["no_such_test"])
        .output()
        .unwrap();
    let said = text(&output);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(
        said.contains("error: no test of green-light has run"),
        "{said}"
    );
    assert!(said.contains("does no filter leave it out?"), "{said}");
}

#[test]
fn a_process_that_was_killed_leaves_an_unfinished_test() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("events.jsonl");
    // As green-light has written them, up to a `kill -9`.
    fs::write(
        &file,
        concat!(
            "{\"ev\":\"PLAN\",\"tests\":[\"a\",\"b\"],\"program\":\"web-0123456789abcdef\",\"runner\":\"cargo\",\"process\":7,\"time\":100.000000}\n",
            "{\"ev\":\"CALL\",\"test\":\"a\",\"got\":{},\"process\":7,\"time\":100.100000}\n",
            "{\"ev\":\"OUTCOME\",\"test\":\"a\",\"began\":100.000000,\"outcome\":\"passed\",\"errors\":{},\"took\":{\"setup\":0.1,\"call\":0.2,\"teardown\":0.1},\"process\":7,\"time\":100.400000}\n",
            "{\"ev\":\"SETUP\",\"fixture\":\"engine\",\"at\":null,\"scope\":\"process\",\"value\":\"engine#1\",\"deps\":{},\"result\":\"ok\",\"during\":\"b\",\"phase\":\"setup\",\"took\":0.300000,\"process\":7,\"time\":100.800000}\n",
            "{\"ev\":\"CALL\",\"test\":\"b\",\"go",
        ),
    )
    .unwrap();
    let output = green_light(&["timeline", "--json", "--events", file.to_str().unwrap()])
        .output()
        .unwrap();
    let run: Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", text(&output)));
    assert_eq!(run["programs"][0]["name"], "web");
    assert_eq!(run["tests"][1]["name"], "b");
    assert_eq!(run["tests"][1]["outcome"], "unfinished");
    assert_eq!(run["tests"][0]["steps"].as_array().unwrap().len(), 0);
}

#[test]
fn help_shows_examples_and_completions_are_for_the_subcommand() {
    let help = green_light(&["timeline", "--help"]).output().unwrap();
    let said = text(&help);
    assert!(
        help.status.success() && said.contains("cargo green-light timeline --open"),
        "{said}"
    );
    let bash = green_light(&["completions", "bash"]).output().unwrap();
    assert!(
        text(&bash).contains("default cargo-green-light"),
        "{}",
        text(&bash)
    );
}
