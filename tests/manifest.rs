//! What a user sees whose manifest lacks something, and whose tests have mistakes that only a build
//! of tests shows.

use std::fs;
use std::path::Path;
use std::process::Command;

const MANIFEST: &str = r#"[package]
name = "users"
version = "0.0.0"
edition = "2024"

[dev-dependencies]
green-light = { path = "ROOT", default-features = false, features = [FEATURES] }
EXTRA

[profile.dev]
debug = false

[workspace]
"#;

/// What cargo says about `source`, which does not compile.
fn errors(extra: &str, source: &str) -> String {
    errors_with("\"macros\"", extra, source)
}

/// The same with other features of green-light.
fn errors_with(features: &str, extra: &str, source: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let project = tempfile::tempdir().expect("a temporary directory");
    let manifest = MANIFEST
        .replace("ROOT", &root.display().to_string())
        .replace("FEATURES", features)
        .replace("EXTRA", extra);
    fs::write(project.path().join("Cargo.toml"), manifest).expect("the manifest is written");
    fs::create_dir(project.path().join("src")).expect("the folder is made");
    fs::write(project.path().join("src/lib.rs"), source).expect("the source is written");
    fs::copy(root.join("Cargo.lock"), project.path().join("Cargo.lock"))
        .expect("the lock is copied");
    let output = Command::new(env!("CARGO"))
        .args(["check", "--quiet", "--tests"])
        .current_dir(project.path())
        // The conformance run builds the same dependencies there.
        .env("CARGO_TARGET_DIR", root.join("target/conformance/target"))
        .output()
        .expect("cargo runs");
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success(), "it builds: {errors}");
    errors
}

const WITHOUT_DATABASE: &str = r#"
#[cfg(test)]
mod tests {
    use green_light::Session;
    use green_light::fixtures::session;

    #[green_light::test]
    async fn asks_for_a_session(session: Session) {}

    #[green_light::test(isolation = database)]
    async fn asks_for_isolation() {}

    #[green_light::test(backends(sqlite, postgres, mysql))]
    async fn asks_for_backends() {}
}
"#;

#[test]
fn a_missing_feature_is_named() {
    let errors = errors("", WITHOUT_DATABASE);
    for item in ["Session", "session"] {
        assert!(errors.contains(item), "{errors}");
    }
    let gate = "#[cfg(any(feature = \"sqlite\", feature = \"postgres\", feature = \"mysql\"))]";
    assert_eq!(errors.matches(gate).count(), 2, "{errors}");
    let told = errors.matches("the item is gated here").count();
    assert_eq!(told, 2, "{errors}");
    let told = "there is no database to isolate";
    assert!(errors.contains(told), "{errors}");
    for backend in ["sqlite", "postgres", "mysql"] {
        let told = format!("backend `{backend}` needs the feature `{backend}` of `green-light`");
        assert!(errors.contains(&told), "{errors}");
    }
}

/// Both are generic, so the types stand for a migrator of the user.
const WITHOUT_STEPS: &str = r#"
#[cfg(test)]
mod tests {
    use green_light::Schema;

    struct Migrator;

    #[green_light::fixture]
    fn migrated() -> Schema {
        Schema::migrations::<Migrator>()
    }

    #[green_light::fixture]
    fn embedded() -> Schema {
        Schema::sqlx(Migrator)
    }
}
"#;

#[test]
fn a_missing_feature_of_a_schema_is_named_where_the_step_is_written() {
    let errors = errors_with("\"macros\", \"sqlite\"", "", WITHOUT_STEPS);
    for (step, feature, line) in [
        ("migrations", "sea-orm-migration", 10),
        ("sqlx", "sqlx", 15),
    ] {
        let told = format!("`Schema::{step}` needs the feature `{feature}` of `green-light`");
        assert!(errors.contains(&told), "{errors}");
        let cure = format!("add \"{feature}\" to the `features` of `green-light`");
        assert!(errors.contains(&cure), "{errors}");
        assert!(errors.contains(&format!("src/lib.rs:{line}:")), "{errors}");
    }
    assert_eq!(errors.matches("error[E").count(), 2, "{errors}");
}

const CASES: &str = r#"
#[cfg(test)]
#[green_light::test]
#[case(1)]
fn has_cases(#[case] one: u32) {}
"#;

#[test]
fn a_missing_rstest_is_named_at_the_cases() {
    let errors = errors("", CASES);
    let told = "error: cases are expanded by rstest, which is not in the manifest";
    assert!(errors.contains(told), "{errors}");
    assert!(errors.contains("write `rstest = \"0.29\"`"), "{errors}");
    assert!(errors.contains("src/lib.rs:5:16"), "{errors}");
}

/// Each comment is what has to be told, at the line below.
const MISTAKES: &str = r#"
#[cfg(test)]
mod tests {
    use green_light::fixture;

    #[fixture]
    fn name() -> String {
        String::new()
    }

    #[fixture(scope = "process")]
    fn limit() -> u8 {
        1
    }

    struct Opaque;

    #[fixture(scope = "module")]
    fn opaque() -> Opaque {
        Opaque
    }

    #[green_light::test]
    // mismatched types
    fn a_value_of_another_type(#[values(1)] #[from(name)] given: String) {}

    #[green_light::test]
    // mismatched types
    fn a_parameter_of_another_type(#[values(String::new())] #[from(name)] given: u32) {}

    #[green_light::test]
    // `tests::Opaque` cannot be given to this fixture
    fn a_value_nobody_can_compare(#[values(Opaque)] #[from(opaque)] given: &Opaque) {}

    #[green_light::test]
    // cannot find function `nobody` in this scope
    fn a_fixture_that_is_not_there(#[values(1)] number: u8, nobody: u8) {}

    #[rstest::rstest]
    // `given` is a case, and comes too late for a fixture
    #[green_light::test(from(given = name))]
    fn a_case_given_below_rstest(#[values(String::new())] given: String) {}
}
"#;

#[test]
fn mistakes_with_cases_are_told_at_their_place() {
    let errors = errors("rstest = \"0.28\"", MISTAKES);
    let told: Vec<_> = MISTAKES
        .lines()
        .enumerate()
        .filter_map(|(index, line)| Some((index + 2, line.trim().strip_prefix("// ")?)))
        .collect();
    assert_eq!(told.len(), 5);
    for (line, text) in told {
        let at = format!("src/lib.rs:{line}:");
        let told = errors.split("\nerror").any(|error| {
            let mut lines = error.lines();
            lines.next().is_some_and(|first| first.contains(text)) && error.contains(&at)
        });
        assert!(told, "`{text}` at {at}\n{errors}");
    }
}

/// In a test the name of a fixture stands twice: in what it requests, and where it is called.
const PLAIN_FUNCTIONS: &str = r#"
#[cfg(test)]
mod tests {
    fn clock() -> u64 {
        0
    }

    #[green_light::test]
    async fn by_value(clock: u64) {}

    #[green_light::test]
    fn by_reference(clock: &u64) {}

    #[green_light::test(timeout = "1s")]
    fn under_another_name(#[from(clock)] now: u64) -> Result<(), String> {
        Ok(())
    }
}
"#;

#[test]
fn a_plain_function_in_place_of_a_fixture_is_told_once() {
    let errors = errors("", PLAIN_FUNCTIONS);
    let told = "error[E0277]: this is not a fixture, but a function that returns `u64`";
    assert_eq!(errors.matches(told).count(), 3, "{errors}");
    assert_eq!(errors.matches("error[E").count(), 3, "{errors}");
}
