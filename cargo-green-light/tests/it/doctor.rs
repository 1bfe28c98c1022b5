//! `cargo green-light doctor`.

use std::fs;
use std::process::Command;

use serde_json::Value;
use sqlx::{Connection as _, Executor as _, PgConnection};

use crate::command::{green_light, root, text};

/// What it finds, and how it ends.
fn findings(mut command: Command) -> (Vec<Value>, Option<i32>) {
    let output = command.arg("--json").output().unwrap();
    let report: Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", text(&output)));
    let findings = report["findings"].as_array().unwrap().clone();
    let problems = findings
        .iter()
        .filter(|finding| finding["level"] == "problem");
    assert_eq!(report["problems"], problems.count());
    (findings, output.status.code())
}

/// Those of a topic, in words: level, fact and help.
fn of(findings: &[Value], topic: &str) -> Vec<(String, String, String)> {
    let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let of = findings.iter().filter(|finding| finding["topic"] == topic);
    of.map(|finding| {
        (
            word(&finding["level"]),
            word(&finding["fact"]),
            word(&finding["help"]),
        )
    })
    .collect()
}

#[test]
fn all_databases_are_started_and_tried_as_a_test_does() {
    let (found, code) = findings(green_light(&["doctor"]));
    assert_eq!(code, Some(0), "{found:#?}");
    let databases = of(&found, "databases");
    for (name, detail) in [
        ("SQLite, built into the tests", "own took"),
        ("PostgreSQL ", ", without durability\n"),
        ("MariaDB or MySQL ", "\n  log in `"),
    ] {
        let found = databases.iter().find(|(_, fact, _)| fact.starts_with(name));
        let (level, fact, _) = found.unwrap_or_else(|| panic!("{name}: {databases:#?}"));
        assert_eq!(level, "good", "{fact}");
        assert!(fact.contains(detail), "{fact}");
        assert!(
            fact.contains("a transaction and a database of its own took"),
            "{fact}"
        );
    }
    let dependencies = of(&found, "dependencies");
    assert!(
        dependencies[0].1.starts_with("green-light 0."),
        "{dependencies:#?}"
    );
    assert!(
        dependencies[0].1.contains("`postgres`"),
        "{dependencies:#?}"
    );
    assert!(
        dependencies[1].1.contains("sea-orm 2."),
        "{dependencies:#?}"
    );
}

#[test]
fn a_second_version_and_a_feature_that_is_off_are_notes() {
    let target = tempfile::tempdir().unwrap();
    let mut command = green_light(&["doctor", "--manifest-path"]);
    command
        .arg(root().join("tests/strangers/older/Cargo.toml"))
        .env("CARGO_TARGET_DIR", target.path());
    let (found, code) = findings(command);
    assert_eq!(code, Some(0), "{found:#?}");
    let dependencies = of(&found, "dependencies");
    let clash = dependencies
        .iter()
        .find(|(_, fact, _)| fact.starts_with("sea-orm 1.1."));
    let (level, fact, help) = clash.unwrap_or_else(|| panic!("{dependencies:#?}"));
    assert_eq!(level, "note");
    assert!(
        fact.contains("which green-light uses; `older` names sea-orm 1.1."),
        "{fact}"
    );
    assert!(help.starts_with("write `sea-orm = \"2."), "{help}");
    assert!(
        dependencies
            .iter()
            .any(|(_, fact, _)| fact.starts_with("sqlx 0.8."))
    );
    let databases = of(&found, "databases");
    assert!(
        databases[0].1.starts_with("SQLite was not tried"),
        "{databases:#?}"
    );
    assert!(databases[1].1.starts_with("PostgreSQL "), "{databases:#?}");
    assert!(
        databases[2].1.starts_with("MariaDB or MySQL was not tried"),
        "{databases:#?}"
    );
    // Its directory is in the target directory of the project, not in that of this command.
    let directory = &of(&found, "directory")[0].1;
    assert!(
        directory.contains(&*target.path().to_string_lossy()),
        "{directory}"
    );
}

#[test]
fn a_misspelt_variable_is_a_problem_and_an_unknown_one_a_note() {
    let mut command = green_light(&["doctor"]);
    command
        .env("GREEN_LIGHT_KEPE", "3")
        .env("GREEN_LIGHT_COLOUR", "1");
    let output = command.output().unwrap();
    let said = text(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    for line in [
        "problem  unknown variable `GREEN_LIGHT_KEPE`",
        "help: did you mean `GREEN_LIGHT_KEEP`?",
        "note     green-light does not know the variable `GREEN_LIGHT_COLOUR`",
        "The databases were not tried: solve the problems above first.",
        "1 problem to solve.",
    ] {
        assert!(said.contains(line), "no `{line}` in {said}");
    }
}

#[test]
fn a_value_that_is_not_understood_is_a_problem() {
    let mut command = green_light(&["doctor"]);
    command
        .env("GREEN_LIGHT_DIR", "cache")
        .env("GREEN_LIGHT_SHOW", "stup");
    let (found, code) = findings(command);
    assert_eq!(code, Some(1));
    let variables = of(&found, "variables");
    let has = |text: &str| {
        variables
            .iter()
            .any(|(level, fact, _)| level == "problem" && fact.contains(text))
    };
    assert!(
        has("`GREEN_LIGHT_SHOW=stup` is not understood"),
        "{variables:#?}"
    );
    assert!(
        has("`GREEN_LIGHT_DIR=cache` is not understood"),
        "{variables:#?}"
    );
    assert!(of(&found, "databases").is_empty());
}

#[test]
fn a_project_without_green_light_is_told_how_to_get_it() {
    let project = tempfile::tempdir().unwrap();
    let manifest = project.path().join("Cargo.toml");
    fs::write(
        &manifest,
        "[package]\nname = \"empty\"\nedition = \"2024\"\n[workspace]\n",
    )
    .unwrap();
    fs::create_dir(project.path().join("src")).unwrap();
    fs::write(project.path().join("src/lib.rs"), "").unwrap();
    let mut command = green_light(&["doctor", "--manifest-path"]);
    command
        .arg(&manifest)
        .env("GREEN_LIGHT_DIR", root().join("target/green-light"));
    let (found, code) = findings(command);
    assert_eq!(code, Some(1), "{found:#?}");
    let (level, fact, help) = &of(&found, "dependencies")[0];
    assert_eq!(level, "problem");
    assert_eq!(fact, "no package of the workspace depends on `green-light`");
    assert!(help.starts_with("`cargo add --dev green-light"), "{help}");
}

/// The server of another run, by the URL that `doctor` itself shows.
fn postgres() -> String {
    let (found, _) = findings(green_light(&["doctor"]));
    let databases = of(&found, "databases");
    let urls = databases.iter().flat_map(|(_, fact, _)| fact.lines());
    let url = urls.filter_map(|line| line.trim().strip_prefix("at postgres://"));
    format!("postgres://{}", { url }.next().expect("PostgreSQL runs"))
}

#[test]
fn a_named_server_is_tried_with_the_rights_of_its_user_and_no_password_is_shown() {
    let url = postgres();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let role = format!("doctor_{}", std::process::id());
    // As long as it is connected, the server goes on.
    let mut admin = runtime.block_on(PgConnection::connect(&url)).unwrap();
    let mut run = |sql: String| {
        runtime
            .block_on(admin.execute(sqlx::AssertSqlSafe(sql)))
            .map(drop)
    };
    run(format!("CREATE ROLE {role} LOGIN PASSWORD 'hunter2secret'")).unwrap();
    let mut command = green_light(&["doctor"]);
    let named = url.replace(
        "postgres://postgres@",
        &format!("postgres://{role}:hunter2secret@"),
    );
    assert_ne!(named, url);
    let output = command
        .env("GREEN_LIGHT_POSTGRES_URL", named)
        .output()
        .unwrap();
    let said = text(&output);
    let dropped = run(format!("DROP ROLE {role}"));
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("problem  PostgreSQL"), "{said}");
    assert!(said.contains("CREATEDB"), "{said}");
    assert!(!said.contains("hunter2secret"), "{said}");
    dropped.unwrap();
}

#[test]
fn a_server_that_nothing_listens_for_is_a_problem_with_its_cause() {
    let mut command = green_light(&["doctor"]);
    command.env(
        "GREEN_LIGHT_POSTGRES_URL",
        "postgres://app:hunter2secret@localhost:1/x",
    );
    let output = command.output().unwrap();
    let said = text(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(
        said.contains("problem  PostgreSQL cannot be reached"),
        "{said}"
    );
    assert!(said.contains("caused by: "), "{said}");
    assert!(
        said.contains("look at host and port in `GREEN_LIGHT_POSTGRES_URL`"),
        "{said}"
    );
    assert!(!said.contains("hunter2secret"), "{said}");
}
