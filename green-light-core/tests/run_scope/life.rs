//! One instance for all processes of a run.

use crate::run::{Run, text};

/// The processes that kept what was used.
fn keepers_used(run: &Run) -> Vec<String> {
    let mut used: Vec<_> = run.journal();
    used.retain(|line| line.starts_with("used "));
    used.sort();
    used.dedup();
    used
}

#[test]
fn programs_of_one_cargo_share_it_and_it_ends_after_the_last() {
    let run = Run::new();
    run.output("t plain::one && t plain && t plain::two", true);
    run.wait_for("server down", 1);
    run.ends();
    let journal = run.journal();
    assert_eq!(journal.len(), 7, "{journal:?}");
    assert_eq!(journal[0], "server up");
    assert_eq!(journal[6], "server down");
    assert_eq!(keepers_used(&run).len(), 1, "{journal:?}");
}

#[test]
fn sixteen_processes_at_once_start_one_keeper() {
    let run = Run::new();
    let script = "for n in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16; do b plain::one; done; wait";
    let output = run.command("cargo-nextest", script).output().unwrap();
    assert!(output.status.success(), "{}", text(&output));
    run.wait_for("server down", 1);
    run.ends();
    assert_eq!(run.count("used"), 16);
    assert_eq!(run.count("server up"), 1);
    assert_eq!(keepers_used(&run).len(), 1);
}

#[test]
fn two_runs_share_nothing() {
    let run = Run::new();
    let [one, other] = ["cargo", "cargo-nextest"].map(|name| run.spawn(name, "t plain"));
    for output in [one, other].map(|child| child.wait_with_output().unwrap()) {
        assert!(output.status.success(), "{}", text(&output));
    }
    run.wait_for("server down", 2);
    run.ends();
    assert_eq!(keepers_used(&run).len(), 2);
}

#[test]
fn what_depends_on_it_is_set_up_after_it_and_torn_down_before() {
    let run = Run::new();
    run.output("t ordered", true);
    run.ends();
    assert_eq!(
        run.journal(),
        [
            "server up",
            "client up",
            "process up",
            "used",
            "process down",
            "client down",
            "server down"
        ]
    );
}

#[test]
fn an_override_is_another_instance_also_for_what_depends_on_it() {
    let run = Run::new();
    run.output("t ordered && t overridden", true);
    run.ends();
    for (line, count) in [
        ("server up", 1),
        ("override up", 1),
        ("client up", 2),
        ("client down", 2),
        ("server down", 1),
    ] {
        assert_eq!(run.count(line), count, "{line}: {:?}", run.journal());
    }
}

#[test]
fn the_keeper_inherits_nothing() {
    let run = Run::new();
    run.output("exec 3>&1 4<&0 9>&2; t alone", true);
    assert_eq!(run.count("used"), 1);
    run.ends();
}

#[test]
fn an_autouse_fixture_is_made_once_for_tests_that_do_not_name_it() {
    let run = Run::new();
    run.output("t unasked && t unasked::two", true);
    run.ends();
    assert_eq!(run.count("used"), 3);
    for line in [
        "server up",
        "background up",
        "background down",
        "server down",
    ] {
        assert_eq!(run.count(line), 1, "{line}: {:?}", run.journal());
    }
}
