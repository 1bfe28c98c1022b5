//! `cargo green-light fixtures`, `plan`, `graph` and `durations`.

use std::fs;

use serde_json::Value;

use crate::command::{on_tests, text};

/// The command with tests of the specimens.
fn run(arguments: &[&str], filter: &str) -> (Option<i32>, String, String) {
    let output = on_tests(arguments, "specimens", &[filter])
        .output()
        .unwrap();
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    (output.status.code(), stdout, text(&output))
}

/// What it printed as JSON, which is all of stdout.
fn json(arguments: &[&str], filter: &str) -> Vec<Value> {
    let (_, stdout, all) = run(&[arguments, &["--json"]].concat(), filter);
    serde_json::from_str(&stdout).unwrap_or_else(|error| panic!("{error}: {all}"))
}

#[test]
fn fixtures_have_scopes_places_and_docs() {
    let fixtures = json(&["fixtures"], "planned::one::first");
    let named = |name: &str, module: &str| {
        let mut found = fixtures.iter();
        let found = found.find(|found| found["name"] == name && found["module"] == module);
        found.unwrap_or_else(|| panic!("there is no {module}::{name}: {fixtures:#?}"))
    };
    let hub = named("hub", "specimens::planned");
    assert_eq!(hub["scope"], "process");
    let place = hub["place"].as_str().unwrap();
    assert!(place.starts_with("tests/specimens/planned.rs:"), "{place}");
    let session = fixtures.iter().find(|found| found["name"] == "session");
    let session = session.expect("green-light has it");
    assert!(!session["docs"].as_str().unwrap().is_empty(), "{session}");
    let overrides = fixtures.iter().any(|found| found["overrides"].is_string());
    assert!(overrides, "{fixtures:#?}");
    let (code, stdout, all) = run(&["fixtures"], "planned::one::first");
    assert_eq!(code, Some(0), "{all}");
    assert!(
        stdout.contains("\nspecimens::planned\n  desk [module] tests/specimens/planned.rs:"),
        "{stdout}"
    );
}

#[test]
fn plans_and_graphs_are_those_of_the_tests_that_were_selected() {
    let tests = json(&["plan"], "planned::one");
    assert_eq!(tests.len(), 3, "{tests:#?}");
    let first = &tests[0];
    assert_eq!(first["name"], "planned::one::first");
    let names: Vec<_> = first["fixtures"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| &step["name"])
        .collect();
    assert_eq!(names, ["coroutine_context", "hub", "desk"], "{first:#}");
    assert_eq!(first["fixtures"][2]["needs"][0], "specimens::planned::hub");
    assert_eq!(first["needs"][0], "specimens::planned::desk");
    let (code, stdout, all) = run(&["plan"], "planned::one::first");
    assert_eq!(code, Some(0), "{all}");
    assert!(
        stdout.starts_with("planned::one::first\n  around   coroutine_context  "),
        "{stdout}"
    );
    assert!(
        stdout.contains("\n  process  hub  tests/")
            && stdout.contains("\n  module   desk of hub  tests/"),
        "{stdout}"
    );

    let (_, tree, all) = run(&["graph"], "planned::one");
    assert_eq!(
        tree,
        "green_light::fixtures::coroutine_context::coroutine_context [around, 3 tests]\n\
         specimens::planned::desk [module, 3 tests]\n└─ specimens::planned::hub [process, 3 tests]\n",
        "{all}"
    );
    let (_, mermaid, _) = run(
        &["graph", "--tests", "--format", "mermaid"],
        "planned::one::first",
    );
    assert!(mermaid.starts_with("flowchart TD\n"), "{mermaid}");
    assert!(
        mermaid.contains("n2[\"planned::one::first<br/><small>test</small>\"]:::tests"),
        "{mermaid}"
    );
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("graph.svg");
    let (code, _, all) = run(
        &[
            "graph",
            "--format",
            "svg",
            "--output",
            file.to_str().unwrap(),
        ],
        "planned::one",
    );
    assert_eq!(code, Some(0), "{all}");
    let svg = fs::read_to_string(file).unwrap();
    assert!(
        svg.starts_with("<svg xmlns=") && svg.ends_with("</svg>\n"),
        "{svg}"
    );
    assert!(
        svg.contains("<title>specimens::planned::hub</title>"),
        "{svg}"
    );

    let (code, _, nothing) = run(&["plan"], "no_such_test");
    assert_eq!(code, Some(2), "{nothing}");
    assert!(
        nothing.contains("error: no test of green-light has run"),
        "{nothing}"
    );
}

#[test]
fn durations_are_listed_added_up_and_end_with_the_code_of_the_runner() {
    let filter = "events::";
    let parts = json(&["durations"], filter);
    let took: Vec<f64> = parts
        .iter()
        .map(|part| part["took"].as_f64().unwrap())
        .collect();
    assert!(took.is_sorted_by(|one, other| one >= other), "{took:?}");
    for what in ["set-up", "body", "teardown"] {
        assert!(
            parts.iter().any(|part| part["what"] == what),
            "{what}: {parts:#?}"
        );
    }
    let bodies = parts.iter().filter(|part| part["what"] == "body").count();
    let tests = json(&["durations", "--by", "test"], filter);
    assert_eq!(tests.len(), bodies);
    let fixtures = json(&["durations", "--by", "fixture"], filter);
    assert!(
        fixtures
            .iter()
            .any(|fixture| fixture["times"].as_u64() > Some(1)),
        "{fixtures:#?}"
    );
    let (code, stdout, all) = run(&["durations", "--number", "2"], filter);
    assert_eq!(code, Some(101), "{all}");
    let (_, list) = stdout
        .split_once("what took longest (2 of ")
        .unwrap_or_else(|| panic!("{all}"));
    assert_eq!(list.lines().count(), 3, "{list}");
}
