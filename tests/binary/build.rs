//! Builds a test binary with cargo, as a user's are built.

use std::path::PathBuf;
use std::process::Command;

/// Builds the test target `name` of this package and returns its executable.
///
/// The features are those of a run of the whole workspace, so that no dependency is built again.
pub(crate) fn build(name: &str) -> PathBuf {
    let output = Command::new(env!("CARGO"))
        .args([
            "test",
            "--quiet",
            "--workspace",
            "--all-features",
            "--test",
            name,
            "--no-run",
        ])
        .args(["--message-format", "json-render-diagnostics"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .filter(|message| message["target"]["name"] == name)
        .find_map(|message| message["executable"].as_str().map(PathBuf::from))
        .expect("cargo names the executable")
}
