//! What a user sees who asks for a database without its feature.

use std::fs;
use std::path::Path;
use std::process::Command;

const MANIFEST: &str = r#"[package]
name = "without-database"
version = "0.0.0"
edition = "2024"

[dev-dependencies]
green-light = { path = "ROOT", default-features = false, features = ["macros"] }

[profile.dev]
debug = false

[workspace]
"#;

const SOURCE: &str = r#"
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
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let project = tempfile::tempdir().expect("a temporary directory");
    let manifest = MANIFEST.replace("ROOT", &root.display().to_string());
    fs::write(project.path().join("Cargo.toml"), manifest).expect("the manifest is written");
    fs::create_dir(project.path().join("src")).expect("the folder is made");
    fs::write(project.path().join("src/lib.rs"), SOURCE).expect("the source is written");
    fs::copy(root.join("Cargo.lock"), project.path().join("Cargo.lock"))
        .expect("the lock is copied");
    let output = Command::new(env!("CARGO"))
        .args(["check", "--quiet", "--tests"])
        .current_dir(project.path())
        // The conformance run builds the same dependencies there.
        .env("CARGO_TARGET_DIR", root.join("target/conformance/target"))
        .output()
        .expect("cargo runs");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success(), "it builds: {errors}");
    for item in ["Session", "session"] {
        assert!(errors.contains(item), "{errors}");
    }
    let gate = "#[cfg(any(feature = \"sqlite\", feature = \"postgres\", feature = \"mysql\"))]";
    assert_eq!(errors.matches(gate).count(), 2, "{errors}");
    let told = errors.matches("the item is gated here").count();
    assert_eq!(told, 2, "{errors}");
    assert!(
        errors.contains("there is no database to isolate"),
        "{errors}"
    );
    for backend in ["sqlite", "postgres", "mysql"] {
        let told = format!("backend `{backend}` needs the feature `{backend}` of `green-light`");
        assert!(errors.contains(&told), "{errors}");
    }
}
