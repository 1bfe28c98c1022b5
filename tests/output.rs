//! What a user reads: the terminal text of real runs, compared with the files in `output/`.
//!
//! `UPDATE_EXPECT=1 cargo test --test output` accepts new text.

#[path = "output/arguments.rs"]
mod arguments;
mod binary;
#[path = "output/dead_server.rs"]
mod dead_server;
#[path = "output/kept.rs"]
mod kept;
#[path = "output/redacted.rs"]
mod redacted;
#[path = "output/refused.rs"]
mod refused;
#[path = "output/secrets.rs"]
mod secrets;
#[path = "output/variables.rs"]
mod variables;

use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::OnceLock;

use expect_test::{ExpectFile, expect_file};
use redacted::{redacted, without_times};

/// The binary of `tests/specimens`, built by cargo as a user's tests are.
fn specimens() -> &'static PathBuf {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| binary::build("specimens"))
}

fn run(filter: &str, args: &[&str], env: &[(&str, &str)]) -> Output {
    run_on_threads(filter, &[&["--test-threads", "1"], args].concat(), env)
}

fn run_on_threads(filter: &str, args: &[&str], env: &[(&str, &str)]) -> Output {
    Command::new(specimens())
        .arg(filter)
        .args(args)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env_remove("RUST_BACKTRACE")
        .env_remove("NEXTEST")
        .envs(env.iter().copied())
        .output()
        .expect("the specimens run")
}

fn story(filter: &str, expected: &ExpectFile) {
    expected.assert_eq(&redacted(&run(filter, &[], &[])));
}

#[test]
fn a_failed_setup_names_fixture_place_cause_and_dependents() {
    story("setup::", &expect_file!["output/setup.txt"]);
}

#[test]
fn a_backtrace_ends_where_green_light_begins() {
    let text = redacted(&run("body::", &[], &[("RUST_BACKTRACE", "1")]));
    assert!(text.contains("stack backtrace:"), "{text}");
    assert!(text.contains("at ./tests/specimens/body.rs:"), "{text}");
    assert!(!text.contains("green-light-core/src/test/run.rs"), "{text}");
    assert!(!text.contains("block_on"), "{text}");
}

#[test]
fn a_failed_body_is_reported_after_its_teardown() {
    story("body::", &expect_file!["output/body.txt"]);
}

#[test]
fn every_teardown_error_is_reported_and_charged() {
    story("teardown::", &expect_file!["output/teardown.txt"]);
}

#[test]
fn a_shared_failure_is_reported_once_in_full() {
    story("shared::", &expect_file!["output/shared.txt"]);
}

#[test]
fn what_goes_wrong_in_a_task_is_reported_by_its_test() {
    story("tasks::", &expect_file!["output/tasks.txt"]);
}

#[test]
fn a_plain_task_that_uses_the_connection_after_its_test_is_named_once() {
    story("leaking::", &expect_file!["output/leaking.txt"]);
}

#[test]
fn a_skip_passes_and_says_so() {
    story("skips::", &expect_file!["output/skips.txt"]);
}

#[test]
fn a_skip_fails_where_none_may_be() {
    let env = [("GREEN_LIGHT_SKIP", "fail")];
    expect_file!["output/skips_fail.txt"].assert_eq(&redacted(&run("skips::", &[], &env)));
}

#[test]
fn an_expected_failure_passes_and_fixtures_are_reported_all_the_same() {
    story("xfail::", &expect_file!["output/xfail.txt"]);
}

#[test]
fn a_dynamic_request_that_cannot_be_answered_says_why() {
    story("dynamic::", &expect_file!["output/dynamic.txt"]);
}

#[test]
fn fixtures_are_listed_with_docs_places_and_reach() {
    let env = [("GREEN_LIGHT_SHOW", "fixtures")];
    let output = run("listed::", &[], &env);
    assert!(output.status.success(), "{}", redacted(&output));
    let text = String::from_utf8_lossy(&output.stderr);
    let listed = |module: &str| {
        let from = text.find(&format!("fixtures of `{module}`"));
        let list = &text[from.unwrap_or_else(|| panic!("{module} is missing: {text}"))..];
        list.find("\nfixtures of")
            .map_or(list, |end| &list[..end])
            .trim_end()
            .to_owned()
    };
    let ours = listed("specimens::listed") + "\n" + &listed("specimens::listed::inner") + "\n";
    expect_file!["output/show_fixtures.txt"].assert_eq(&ours);
    assert!(text.contains("coroutine_context [around] -- "), "{text}");
    assert_eq!(text.matches("fixtures of `specimens::listed`\n").count(), 1);
}

#[test]
fn the_slowest_are_listed_at_the_end() {
    let env = [("GREEN_LIGHT_SHOW", "durations")];
    let output = run("listed::", &[], &env);
    assert!(output.status.success(), "{}", redacted(&output));
    let text = String::from_utf8_lossy(&output.stderr);
    let mut lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.remove(0), "slowest durations (10 of 11)", "{text}");
    assert!(
        lines[0].ends_with("s set-up    P slow in listed::waits"),
        "{text}"
    );
    assert!(text.contains("s body      listed::"), "{text}");
}

#[test]
fn a_plan_and_a_list_pass_under_should_panic() {
    for show in ["plan", "fixtures"] {
        let output = run("should_panic::", &[], &[("GREEN_LIGHT_SHOW", show)]);
        assert!(output.status.success(), "{}", redacted(&output));
    }
}

#[test]
fn a_cycle_is_reported_with_its_path() {
    story("cycle::", &expect_file!["output/cycle.txt"]);
}

#[test]
fn fixtures_without_an_effect_are_named_once_at_the_end() {
    let run = |env: &[(&str, &str)]| {
        let output = Command::new(binary::build("unreached"))
            .args(["--test-threads", "1"])
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .env_remove("NEXTEST")
            .envs(env.iter().copied())
            .output()
            .expect("the tests run");
        assert!(output.status.success(), "{}", redacted(&output));
        redacted(&output)
    };
    expect_file!["output/unreached.txt"].assert_eq(&run(&[]));
    assert!(!run(&[("NEXTEST", "1")]).contains("reaches no test"));
}

#[test]
fn overrides_that_override_each_other_are_reported_with_their_path() {
    let expected = expect_file!["output/overriding.txt"];
    story("overriding::", &expected);
}

#[test]
fn whoever_breaks_out_of_the_sandbox_is_named() {
    story("database::", &expect_file!["output/database.txt"]);
}

#[test]
fn debugging_shows_where_a_plain_connection_was_taken() {
    let output = run(
        "database::e_waits_for_itself",
        &[],
        &[("GREEN_LIGHT_DEBUG", "1")],
    );
    let text = redacted(&output);
    assert!(
        text.contains("begun at tests/specimens/database.rs:"),
        "{text}"
    );
}

#[test]
fn debugging_shows_thread_runtime_and_context_of_each_step() {
    let env = [("GREEN_LIGHT_DEBUG", "1")];
    let output = run("debugged::", &["--nocapture"], &env);
    expect_file!["output/debugged.txt"].assert_eq(&redacted(&output));
}

#[test]
fn two_equally_near_overrides_are_refused() {
    story("ambiguous::", &expect_file!["output/ambiguous.txt"]);
}

#[test]
fn cases_are_told_apart_and_share_what_they_are_built_from() {
    story("cases::", &expect_file!["output/cases.txt"]);
    let show = |show| run("cases::", &["--nocapture"], &[("GREEN_LIGHT_SHOW", show)]);
    expect_file!["output/cases_plan.txt"].assert_eq(&redacted(&show("plan")));
    expect_file!["output/cases_setup.txt"].assert_eq(&redacted(&show("setup")));
}

#[test]
fn arguments_that_fail_or_are_not_for_an_override_say_so() {
    story("with::", &expect_file!["output/with.txt"]);
}

#[test]
fn a_shared_fixture_ends_in_the_last_planned_case() {
    let env = [("GREEN_LIGHT_SHOW", "setup")];
    let exact = ["--nocapture", "--exact"];
    for (filter, args) in [
        ("cases::a_runs::case_1", &exact[..]),
        ("cases::a_runs::case_2_faster", &exact[..]),
        ("cases::a_runs", &exact[..1]),
    ] {
        let output = run(filter, args, &env);
        let text = redacted(&output);
        let call = text
            .rfind("cases::a_runs::case_")
            .expect("a case is called");
        let end = text.find("TEARDOWN M motor").expect("the motor stops");
        assert!(call < end, "{text}");
        assert!(output.status.success(), "{text}");
    }
}

#[test]
fn only_the_body_may_panic_under_should_panic() {
    story("should_panic::", &expect_file!["output/should_panic.txt"]);
}

#[test]
fn an_event_has_the_outcome_that_libtest_has_under_should_panic() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let file = directory.path().join("events.jsonl");
    let env = [("GREEN_LIGHT_EVENTS", &*file.to_string_lossy())];
    let output = run("should_panic::", &[], &env);
    let events = std::fs::read_to_string(&file).expect("events were written");
    let outcomes = events.lines().filter(|line| line.contains("OUTCOME"));
    let passed: Vec<&str> = outcomes
        .filter(|line| line.contains("\"outcome\":\"passed\""))
        .filter_map(|line| line.split('"').nth(7))
        .collect();
    assert_eq!(
        passed,
        ["should_panic::a_panicking_body_passes"],
        "{events}"
    );
    let text = String::from_utf8_lossy(&output.stdout);
    let ok = text.lines().filter(|line| line.ends_with("... ok"));
    let ok: Vec<&str> = ok.collect();
    assert_eq!(
        ok,
        ["test should_panic::a_panicking_body_passes - should panic ... ok"],
        "{text}"
    );
}

#[test]
fn output_and_panics_of_spawned_tasks_are_not_lost() {
    story("spawned::", &expect_file!["output/spawned.txt"]);
}

#[test]
fn a_late_teardown_error_turns_the_run_red() {
    story("leftovers::", &expect_file!["output/leftovers.txt"]);
}

#[test]
fn a_late_teardown_that_hangs_does_not_keep_the_process() {
    let output = run("hanging::", &[], &[]);
    let text = redacted(&output);
    let said = "shared fixtures did not end within 30 s";
    assert!(text.contains(said), "{text}");
    assert!(!output.status.success());
}

#[test]
fn every_scope_ends_with_its_test_under_nextest() {
    // nextest starts the binary once for each test.
    let test = "teardown::module_scope::a_uses_it";
    let text = redacted(&run(test, &["--exact"], &[("NEXTEST", "1")]));
    assert!(text.contains("failed: the server does not stop"), "{text}");
    assert!(text.contains("test `a_uses_it` (tests/"), "{text}");
}

#[test]
fn a_dear_fixture_is_told_of_under_nextest_only() {
    let said = "green-light: fixture `dear` (scope `process`) took 1.";
    let alone = redacted(&run("slow::", &[], &[("NEXTEST", "1")]));
    assert!(alone.contains(said), "{alone}");
    assert!(
        alone.contains("with scope `run` it is made once for all of them"),
        "{alone}"
    );
    let together = redacted(&run("slow::", &[], &[]));
    assert!(!together.contains("fixture `dear`"), "{together}");
}

#[test]
fn a_timeout_names_the_phase_and_teardown_runs() {
    story("timeouts::", &expect_file!["output/timeouts.txt"]);
}

#[test]
fn a_phase_that_blocks_its_thread_for_too_long_fails_where_it_ends() {
    story("blocked::", &expect_file!["output/blocked.txt"]);
}

#[test]
fn a_test_that_does_not_end_is_reported_and_the_tests_beside_it_go_on() {
    let env = [("GREEN_LIGHT_DROP_TIMEOUT", "300ms")];
    for (which, ending) in [
        ("a_body_that_catches_for_ever", ""),
        (
            "a_destructor_that_waits_for_ever",
            " at tests/specimens/stranded.rs:",
        ),
    ] {
        let name = format!("stranded::{which}");
        // Both begin at once.
        let threads = ["stranded::beside", "--test-threads", "2"];
        let output = run_on_threads(&name, &threads, &env);
        let text = redacted(&output);
        assert_eq!(output.status.code(), Some(101), "{text}");
        for said in [
            "stderr: torn down".to_owned(),
            format!("a cancelled coroutine context was still waiting{ending}"),
            format!("error: test `{name}` (tests/specimens/stranded.rs:"),
            "was cancelled and does not end".to_owned(),
            format!("timeout: the body of test `{which}`"),
            "one_that_is_slow_passes ... ok".to_owned(),
            format!("error: this process ends here, because test `{name}` does not"),
        ] {
            assert!(text.contains(&said), "`{said}` is not in {text}");
        }
    }
}

#[test]
fn an_overflow_of_a_test_is_reported_as_that_of_a_plain_one() {
    let text = redacted(&run("deep::in_a_body", &[], &[]));
    assert!(
        text.contains("thread 'deep::in_a_body' has overflowed its stack"),
        "{text}"
    );
    assert!(
        !text.contains("coroutine") && text.ends_with("status: -1\n"),
        "{text}"
    );
    let text = redacted(&run("deep::inside_of_run_sync", &[], &[]));
    assert!(
        text.contains(
            "test `inside_of_run_sync` has overflowed the stack of its coroutine context"
        ),
        "{text}"
    );
}

#[test]
fn teardown_runs_when_an_around_fixture_drops_the_rest() {
    story("around::", &expect_file!["output/around.txt"]);
}

#[test]
fn a_member_of_a_crowd_that_fails_fails_the_test() {
    story("crowd::", &expect_file!["output/crowd.txt"]);
}

#[test]
fn the_context_of_every_test_can_be_left_out() {
    let env = [("GREEN_LIGHT_AUTOUSE", "0"), ("GREEN_LIGHT_SHOW", "setup")];
    let text = redacted(&run("timeouts::a_synchronous_body", &["--nocapture"], &env));
    assert!(!text.contains("T coroutine_context"), "{text}");
    assert!(
        text.contains("no green-light context on this thread"),
        "{text}"
    );
    // It is the context alone that is left out.
    assert!(
        text.contains("SETUP    T torn_down") && text.contains(": torn down"),
        "{text}"
    );
}

#[test]
fn setup_is_shown_as_pytest_shows_it() {
    let output = run(
        "events::",
        &["--nocapture"],
        &[("GREEN_LIGHT_SHOW", "setup")],
    );
    expect_file!["output/show_setup.txt"].assert_eq(&redacted(&output));
}

#[test]
fn the_coroutine_context_is_shown_before_engine_transaction_and_session() {
    let env = [("GREEN_LIGHT_SHOW", "setup")];
    let output = run("database::z_sees_nothing_of_them", &["--nocapture"], &env);
    let shown = String::from_utf8_lossy(&output.stderr);
    let order = [
        "P engine",
        "T transaction",
        "T session",
        "z_sees_nothing_of_them",
    ];
    let places = order.map(|name| shown.find(name));
    let context = shown.find("T coroutine_context");
    assert!(context.is_some() && context < places[0], "{shown}");
    assert!(
        places.iter().all(Option::is_some) && places.is_sorted(),
        "{places:?}\n{shown}"
    );
}

#[test]
fn a_plan_is_shown_without_running_anything() {
    let output = run(
        "events::",
        &["--nocapture"],
        &[("GREEN_LIGHT_SHOW", "plan")],
    );
    expect_file!["output/show_plan.txt"].assert_eq(&redacted(&output));
    assert!(output.status.success());
}

#[test]
fn events_are_written_line_by_line() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let file = directory.path().join("events.jsonl");
    run(
        "events::",
        &[],
        &[("GREEN_LIGHT_EVENTS", &file.to_string_lossy())],
    );
    let events = std::fs::read_to_string(&file).expect("events were written");
    let events: String = events
        .lines()
        .map(|line| without_times(line) + "\n")
        .collect();
    expect_file!["output/events.jsonl"].assert_eq(&events);
}

#[test]
fn an_event_file_that_cannot_be_opened_fails_every_test_with_the_cure() {
    let env = [("GREEN_LIGHT_EVENTS", "no/such/directory/events.jsonl")];
    expect_file!["output/events_unwritable.txt"].assert_eq(&redacted(&run("events::", &[], &env)));
}

#[test]
fn a_full_disk_under_the_event_file_is_said_once_and_fails_nothing() {
    // `/dev/full` refuses every write as a full disk does.
    let env = [("GREEN_LIGHT_EVENTS", "/dev/full")];
    expect_file!["output/events_full.txt"].assert_eq(&redacted(&run(
        "events::a_passes",
        &[],
        &env,
    )));
}

#[test]
fn a_wrong_runtime_is_explained() {
    story("wrong_runtime::", &expect_file!["output/wrong_runtime.txt"]);
}

#[test]
fn the_end_of_a_thread_is_explained() {
    // It ends the process, so nothing that libtest has captured would be seen.
    let text = redacted(&run("thread_end::", &["--nocapture"], &[]));
    let explained = "what it means: tokio was used in the destructor of a thread-local variable";
    assert!(text.contains(explained), "{text}");
}

#[test]
fn a_wrong_connection_is_explained() {
    story(
        "wrong_connection::",
        &expect_file!["output/wrong_connection.txt"],
    );
}

#[test]
fn a_transaction_that_postgresql_has_aborted_is_explained() {
    // Its message ends with a line number of the server's own source.
    let text = redacted(&run("postgres::a_statement_before_has_failed", &[], &[]));
    let said = text.find("current transaction is aborted, commands ignored");
    let explained = text.find("what it means: an earlier statement of this transaction failed");
    assert!(said.is_some() && said < explained, "{text}");
}

#[test]
fn passwords_are_hidden_in_every_failure() {
    let text = redacted(&run("passwords::", &[], &[("RUST_BACKTRACE", "1")]));
    assert!(!text.contains("hunter"), "{text}");
    story("passwords::", &expect_file!["output/passwords.txt"]);
}
