//! What goes wrong is reported where it matters.

use std::fs;

use crate::run::Run;

#[test]
fn a_failed_set_up_runs_once_and_fails_every_test() {
    let run = Run::new();
    let text = run.output(
        "t failing::in_set_up; t failing::in_set_up; t failing::in_set_up",
        false,
    );
    run.ends();
    assert_eq!(run.journal(), ["set-up"]);
    assert_eq!(
        text.matches("setup error: fixture `refused`").count(),
        3,
        "{text}"
    );
    assert_eq!(text.matches("no port is free").count(), 3, "{text}");
    assert_eq!(
        text.matches("in its keeper, whose log is `").count(),
        3,
        "{text}"
    );
}

#[test]
fn a_skip_skips_every_test() {
    let run = Run::new();
    let text = run.output("t failing::skips && t failing::skips", true);
    assert_eq!(
        text.matches("skipped: no such program").count(),
        2,
        "{text}"
    );
    run.ends();
}

#[test]
fn a_dynamic_request_of_a_kept_fixture_is_refused() {
    let run = Run::new();
    let text = run.output("t failing::asks", false);
    let refused = "fixture `asking` has scope `run`, and cannot request `client` while it runs";
    assert!(text.contains(refused), "{text}");
    assert!(
        text.contains("help: take `client` as a parameter"),
        "{text}"
    );
    run.ends();
}

#[test]
fn a_value_that_json_cannot_hold_is_refused() {
    let run = Run::new();
    let text = run.output("t failing::cannot_be_sent", false);
    assert!(
        text.contains("its value cannot be sent to other processes as JSON: "),
        "{text}"
    );
    run.ends();
}

#[test]
fn a_keeper_that_dies_is_an_error_and_the_next_process_starts_another() {
    let run = Run::new();
    let text = run.output("t failing::dies; t failing::dies", true);
    let died = text.find("setup error: fixture `dying`").expect(&text);
    let (_, text) = text.split_at(died);
    assert!(
        text.contains(", ended in the middle of the set-up\n"),
        "{text}"
    );
    assert!(text.contains("\n  | something is wrong\n"), "{text}");
    assert!(
        text.contains("the next process that needs the fixture starts it again"),
        "{text}"
    );
    assert_eq!(run.count("used"), 1);
    run.ends();
}

#[test]
fn a_failed_teardown_fails_a_test_of_the_next_run_once() {
    let run = Run::new();
    run.make("untidy");
    run.output("t failing::in_teardown", true);
    run.ends();
    fs::remove_file(run.directory.join("untidy")).unwrap();
    let text = run.output("t failing::in_teardown", false);
    assert!(text.contains("teardown error: fixture `untidy`"), "{text}");
    assert!(text.contains("the server is still there"), "{text}");
    assert!(text.contains("at the end of an earlier run"), "{text}");
    run.ends();
    run.output("t failing::in_teardown", true);
    run.ends();
    assert_eq!(run.count("used"), 3);
    assert_eq!(run.count("torn down"), 3);
}
