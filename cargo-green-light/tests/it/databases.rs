//! `cargo green-light databases` and `server`, on servers of their own.

use std::io::{BufRead as _, BufReader};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::command::text;
use crate::place::Place;

const LIST: [&str; 3] = ["databases", "list", "--json"];
/// How long to wait for what has to come.
const LIMIT: Duration = Duration::from_secs(120);
const STATUS: [&str; 3] = ["server", "status", "--json"];

/// The only database in a state on one kind of server, once it is there: a server notices the end of a process late.
fn only(place: &Place, backend: &str, state: &str) -> Value {
    let begun = Instant::now();
    loop {
        let list = place.list(&LIST);
        let mut found = list
            .iter()
            .filter(|entry| entry["backend"] == backend && entry["state"] == state);
        if let (Some(only), None) = (found.next(), found.next()) {
            return only.clone();
        }
        assert!(
            begun.elapsed() < LIMIT,
            "not one is {state} on {backend}: {list:#?}"
        );
    }
}

fn name(database: &Value) -> &str {
    database["name"].as_str().unwrap()
}

#[test]
fn databases_of_failed_tests_are_listed_opened_and_dropped() {
    let place = Place::new();
    let nothing = place.said(&["databases", "list"]);
    assert!(
        nothing.contains("no database is in use, left or kept"),
        "{nothing}"
    );
    let shell = place.refused(&["databases", "shell"]);
    assert!(shell.contains("error: no database is kept"), "{shell}");
    assert!(shell.contains("GREEN_LIGHT_KEEP=1"), "{shell}");

    let tests = place
        .tests("kept::a_fails")
        .env("GREEN_LIGHT_KEEP", "1")
        .output()
        .unwrap();
    let ran = text(&tests);
    assert!(ran.contains("3 failed"), "{ran}");
    for backend in ["sqlite", "postgres", "mysql"] {
        let kept = only(&place, backend, "kept");
        assert!(kept["size"].as_u64().unwrap() > 0, "{kept}");
        assert!(kept["age"].as_f64().unwrap() >= 0.0, "{kept}");
        assert!(kept["url"].as_str().unwrap().starts_with(backend), "{kept}");
    }
    let postgres = only(&place, "postgres", "kept");
    assert_eq!(
        postgres["test"],
        "specimens::kept::a_fails_and_is_kept::postgres"
    );
    let table = place.said(&["databases", "list"]);
    assert!(
        table.contains("of `specimens::kept::a_fails_and_is_kept::postgres`"),
        "{table}"
    );
    assert!(
        table.contains("for the next tests: `--all` shows them"),
        "{table}"
    );

    let query = "SELECT x + 35 FROM evidence";
    let by_test = "a_fails_and_is_kept::postgres";
    let answer = place.said(&["databases", "shell", by_test, "--", "-tAc", query]);
    assert!(answer.starts_with("42\n"), "{answer}");
    let mysql = only(&place, "mysql", "kept");
    let answer = place.said(&["databases", "shell", name(&mysql), "--", "-Ne", query]);
    assert!(answer.starts_with("42\n"), "{answer}");
    let sqlite = only(&place, "sqlite", "kept");
    let (output, answer) = place.run(&["databases", "shell", name(&sqlite), "--", query]);
    match output.status.success() {
        true => assert!(answer.starts_with("42\n"), "{answer}"),
        // CI does not need this program for anything else.
        false => assert!(
            answer.contains("error: `sqlite3` is not installed"),
            "{answer}"
        ),
    }

    let refused = place.refused(&["databases", "drop", "gl_none"]);
    assert!(
        refused.contains("there is no database `gl_none`"),
        "{refused}"
    );
    let several = place.refused(&["databases", "keep", "gl_"]);
    assert!(
        several.contains("several databases begin with `gl_`"),
        "{several}"
    );
    let again = place.refused(&["databases", "keep", name(&mysql)]);
    assert!(again.contains("is kept already"), "{again}");
    let list = place.list(&LIST);
    let template = list
        .iter()
        .find(|entry| entry["state"] == "template")
        .unwrap();
    let refused = place.refused(&["databases", "drop", name(template)]);
    assert!(refused.contains("is there for the next tests"), "{refused}");

    let left = place.said(&["databases", "drop"]);
    assert!(
        left.contains("3 kept ones stay: `--kept` drops them, too"),
        "{left}"
    );
    let dropped = place.said(&["databases", "drop", name(&sqlite)]);
    assert!(dropped.contains("1 database dropped"), "{dropped}");
    let dropped = place.said(&["databases", "drop", "--kept"]);
    assert!(dropped.contains("2 databases dropped"), "{dropped}");
    let list = place.list(&LIST);
    assert!(
        list.iter().all(|entry| entry["state"] != "kept"),
        "{list:#?}"
    );
}

/// A program that ends with the test that has begun it.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let group = format!("-{}", self.0.id());
        let _ = Command::new("kill").args(["-9", "--", &group]).output();
        let _ = self.0.wait();
    }
}

/// Waits until the tests of the specimens have their databases: the numbers of their processes.
fn in_use(place: &Place) -> Vec<(String, u64)> {
    let begun = Instant::now();
    loop {
        let list = place.list(&LIST);
        // A template that is being built is in use as well.
        let is_of_test = |entry: &&Value| name(entry).starts_with("gl_d_");
        let used = list.iter().filter(|entry| entry["state"] == "in use");
        let used = used.filter(is_of_test);
        let used: Vec<_> = used
            .filter_map(|entry| Some((name(entry).to_owned(), entry["process"].as_u64()?)))
            .collect();
        if used.len() == 2 {
            return used;
        }
        assert!(begun.elapsed() < LIMIT, "{list:#?}");
    }
}

#[test]
fn a_server_runs_as_long_as_it_was_started_for_and_databases_in_use_stay() {
    let place = Place::new();
    for server in place.list(&STATUS) {
        assert_eq!(server["state"], "never_started", "{server}");
    }
    let started = place.said(&["server", "start", "postgres", "--minutes", "30"]);
    assert!(started.contains("postgres runs for 30 min"), "{started}");
    let begun = Instant::now();
    let refused = place.refused(&["server", "start", "sqlite"]);
    assert!(refused.contains("sqlite needs no server"), "{refused}");

    let mut tests = Running(
        place
            .tests("held::")
            .env("SPECIMEN_SECONDS", "600")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // Its children end with it.
            .process_group(0)
            .spawn()
            .unwrap(),
    );
    let used = in_use(&place);
    for (name, _) in &used {
        for action in ["drop", "keep"] {
            let refused = place.refused(&["databases", action, name]);
            assert!(
                refused.contains(&format!("a test uses `{name}`")),
                "{refused}"
            );
        }
    }
    let (_, process) = used[0];
    let user = format!("`green-light specimens {process}`");
    let refused = place.refused(&["server", "stop"]);
    assert!(
        refused.contains("is in use by") && refused.contains(&user),
        "{refused}"
    );
    let status = place.said(&["server", "status"]);
    assert!(status.contains(&user), "{status}");

    let kill = Command::new("kill")
        .args(["-9", &process.to_string()])
        .status();
    assert!(kill.unwrap().success());
    tests.0.wait().unwrap();
    for backend in ["postgres", "mysql"] {
        let left = only(&place, backend, "left");
        assert_eq!(left["process"], process, "{left}");
        place.said(&["databases", "keep", name(&left)]);
        assert_eq!(name(&only(&place, backend, "kept")), name(&left));
        let dropped = place.said(&["databases", "drop", name(&left)]);
        assert!(dropped.contains("1 database dropped"), "{dropped}");
    }

    // Seconds after the last user, it still runs; the other one has been stopped by then, or is.
    while begun.elapsed() < Duration::from_secs(9) {
        std::thread::sleep(Duration::from_millis(100));
    }
    let postgres = place.entry(&STATUS, "backend", "postgres").unwrap();
    assert_eq!(postgres["state"], "runs", "{postgres}");
    assert!(postgres["stays"].as_u64().unwrap() <= 30 * 60, "{postgres}");
    let stopped = place.said(&["server", "stop", "postgres"]);
    assert!(stopped.contains("stopped postgres"), "{stopped}");
    let postgres = place.entry(&STATUS, "backend", "postgres").unwrap();
    assert_eq!(postgres["state"], "stopped", "{postgres}");
    let again = place.said(&["server", "stop", "postgres"]);
    assert!(again.contains("no server of this project runs"), "{again}");
    let log = place.said(&["server", "logs", "postgres", "--lines", "3"]);
    assert!(log.contains("database system is shut down"), "{log}");
    assert!(log.trim().lines().count() <= 3, "{log}");
}

#[test]
fn a_log_is_followed_while_the_server_writes_it_and_when_it_is_started_again() {
    let place = Place::new();
    let started = ["server", "start", "postgres"];
    place.said(&started);
    let mut follower = Running(
        place
            .command(&["server", "logs", "postgres", "--follow"])
            .stdout(Stdio::piped())
            .process_group(0)
            .spawn()
            .unwrap(),
    );
    let output = follower.0.stdout.take().unwrap();
    let (send, lines) = mpsc::channel();
    std::thread::spawn(move || {
        let mut lines = BufReader::new(output).lines().map_while(Result::ok);
        lines.try_for_each(|line| send.send(line))
    });
    let wait_for = |text: &str| {
        let mut seen = Vec::new();
        while let Ok(line) = lines.recv_timeout(LIMIT) {
            seen.push(line);
            if seen.last().is_some_and(|line| line.contains(text)) {
                return;
            }
        }
        panic!("`{text}` did not come: {seen:#?}");
    };
    wait_for("database system is ready to accept connections");
    place.said(&["server", "stop", "postgres"]);
    wait_for("database system is shut down");
    place.said(&started);
    wait_for("database system is ready to accept connections");
    assert!(follower.0.try_wait().unwrap().is_none());
}

#[test]
fn a_server_that_a_variable_names_is_neither_started_nor_stopped() {
    let place = Place::new();
    let named = |arguments: &[&str]| {
        let mut command = place.command(arguments);
        command.env(
            "GREEN_LIGHT_POSTGRES_URL",
            "postgres://app:hunter2secret@localhost:1/x",
        );
        text(&command.output().unwrap())
    };
    let status = named(&["server", "status"]);
    assert!(status.contains("PostgreSQL is another server"), "{status}");
    let start = named(&["server", "start", "postgres"]);
    assert!(
        start.contains("error: tests use the server that `GREEN_LIGHT_POSTGRES_URL` names"),
        "{start}"
    );
    let list = named(&["databases", "list"]);
    assert!(
        list.contains("look at host and port in `GREEN_LIGHT_POSTGRES_URL`"),
        "{list}"
    );
    for said in [status, start, list] {
        assert!(!said.contains("hunter2secret"), "{said}");
    }
}
