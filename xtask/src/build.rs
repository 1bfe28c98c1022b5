//! Builds the test binaries of a rendered project.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Builds every test binary of the project in `directory` and returns them by name.
///
/// # Errors
///
/// If cargo cannot be started, or the project does not build.
pub(crate) fn tests(
    directory: &Path,
    arguments: &[&str],
) -> Result<HashMap<String, PathBuf>, String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["test", "--quiet", "--tests", "--no-run"])
        .args(["--message-format", "json-render-diagnostics"])
        .args(arguments)
        .current_dir(directory)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| format!("cargo could not be started: {error}"))?;
    if !output.status.success() {
        return Err(format!("the tests in {} do not build", directory.display()));
    }
    let messages = String::from_utf8_lossy(&output.stdout);
    Ok(messages
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .filter_map(|message| {
            let executable = message["executable"].as_str()?;
            Some((
                message["target"]["name"].as_str()?.to_owned(),
                PathBuf::from(executable),
            ))
        })
        .collect())
}
