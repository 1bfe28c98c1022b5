//! What goes wrong is reported where it matters.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};

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

#[test]
fn a_directory_that_cannot_have_the_log_is_named_with_the_cure() {
    let run = Run::new();
    fs::write(run.directory.join("file"), "").unwrap();
    let in_a_file = run.directory.join("file/below");
    for refused in ["below/target", in_a_file.to_str().unwrap()] {
        let text = run.output(
            &format!("export GREEN_LIGHT_DIR={refused}; t plain::one"),
            false,
        );
        let refused = format!(
            "a fixture of scope `run` has no place for its log: cannot write to `{refused}`: "
        );
        assert!(text.contains(&refused), "{text}");
        assert!(
            text.contains("help: let `GREEN_LIGHT_DIR` name a directory on a local disk"),
            "{text}"
        );
    }
    assert_eq!(run.journal(), [""; 0]);
}

#[test]
fn where_others_can_write_the_log_is_in_a_directory_of_its_user() {
    let run = Run::new();
    let open = run.directory.join("open");
    let in_open = format!("export GREEN_LIGHT_DIR={}; t plain::one", open.display());
    fs::create_dir(&open).unwrap();
    fs::set_permissions(&open, fs::Permissions::from_mode(0o777)).unwrap();
    run.output(&in_open, true);
    run.ends();
    let entries = fs::read_dir(&open).unwrap();
    let own = entries
        .map(|entry| entry.unwrap().path())
        .collect::<Vec<_>>();
    let [own] = own.as_slice() else {
        panic!("{own:?}");
    };
    assert_eq!(fs::metadata(own).unwrap().permissions().mode() & 0o022, 0);

    // Another user may have put a link there before.
    fs::remove_dir_all(own).unwrap();
    symlink(run.directory.join("elsewhere"), own).unwrap();
    fs::create_dir(run.directory.join("elsewhere")).unwrap();
    let text = run.output(&in_open, false);
    assert!(text.contains("has no place for its log"), "{text}");
    let elsewhere = fs::read_dir(run.directory.join("elsewhere")).unwrap();
    assert_eq!(elsewhere.count(), 0);
}
