//! What is said of a fixture that is kept for a run: once, with the process that keeps it.

use std::fs;

use serde_json::Value;

use crate::run::Run;

/// The events of kind `kind` about the fixture `server` that were written when `script` ran.
fn events(run: &Run, kind: &str) -> Vec<Value> {
    let text = fs::read_to_string(run.directory.join("events")).unwrap();
    let events = text.lines().map(|line| serde_json::from_str(line).unwrap());
    let is_wanted = |event: &Value| event["ev"] == kind && event["fixture"] == "server";
    events.filter(is_wanted).collect()
}

#[test]
fn the_event_file_has_one_set_up_and_one_teardown() {
    let run = Run::new();
    let script =
        "export GREEN_LIGHT_EVENTS=$RUN_DIRECTORY/events; t plain && t plain::two && t ordered";
    run.output(script, true);
    run.ends();
    let used = run.journal();
    let keeper = used.iter().find_map(|line| line.strip_prefix("used "));
    let keeper: u32 = keeper.unwrap().parse().unwrap();
    let set_ups = events(&run, "SETUP");
    assert_eq!(set_ups.len(), 1, "{set_ups:?}");
    assert_eq!(set_ups[0]["keeper"], keeper);
    assert_eq!(set_ups[0]["scope"], "run");
    let teardowns = events(&run, "TEARDOWN");
    assert_eq!(teardowns.len(), 1, "{teardowns:?}");
    assert_eq!(teardowns[0]["process"], keeper);
    assert_eq!(teardowns[0]["during"], Value::Null);
}

#[test]
fn the_slowest_durations_and_the_shown_set_ups_have_it_once() {
    for (show, line) in [
        ("durations", "set-up    R server in "),
        ("setup", "SETUP    R server"),
    ] {
        let run = Run::new();
        let script = format!(
            "export GREEN_LIGHT_SHOW={show} RUST_TEST_NOCAPTURE=1; t plain && t plain::two"
        );
        let text = run.output(&script, true);
        assert_eq!(text.matches(line).count(), 1, "{text}");
        run.ends();
    }
}

#[test]
fn what_the_set_up_prints_is_in_the_report_of_the_test_that_asked_first() {
    let run = Run::new();
    let text = run.output("t talking; t talking", false);
    assert_eq!(
        text.matches("  | it listens on port 4711").count(),
        1,
        "{text}"
    );
    assert!(
        text.contains("fixture `talker`, printed by its keeper, whose log is `"),
        "{text}"
    );
    assert!(!text.contains("it has answered 3 requests"), "{text}");
    run.ends();
    let logs = fs::read_dir(run.directory.join("files/run"))
        .unwrap()
        .flatten();
    let logs: Vec<_> = logs
        .map(|log| fs::read_to_string(log.path()).unwrap())
        .collect();
    assert_eq!(logs.len(), 1);
    for line in ["it listens on port 4711", "it has answered 3 requests"] {
        assert_eq!(logs[0].matches(line).count(), 1, "{logs:?}");
    }
}
