//! Runs the command as a user does.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The workspace, whose tests the command looks at.
pub(crate) fn root() -> &'static Path {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.parent().expect("the package is in the workspace")
}

/// `cargo green-light ..`, with a clean environment.
pub(crate) fn green_light(arguments: &[&str]) -> Command {
    let program = Path::new(env!("CARGO_BIN_EXE_cargo-green-light"));
    let directory = program.parent().expect("a program is in a directory");
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = std::iter::once(PathBuf::from(directory)).chain(std::env::split_paths(&path));
    let mut command = Command::new(env!("CARGO"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("GREEN_LIGHT_") {
            command.env_remove(name);
        }
    }
    command
        .arg("green-light")
        .args(arguments)
        .current_dir(root())
        .env("PATH", std::env::join_paths(path).expect("a path"))
        // As in a terminal of the user.
        .env_remove("CARGO")
        .env_remove("NEXTEST")
        .env_remove("RUST_TEST_THREADS");
    command
}

/// How tests of the workspace are chosen: with the features that its own run has, so that no dependency is built again.
pub(crate) const WITH_ALL_FEATURES: [&str; 2] = ["--workspace", "--all-features"];

/// `cargo green-light ..` with tests of green-light's own: those of `program` that `selected` selects.
pub(crate) fn on_tests(arguments: &[&str], program: &str, selected: &[&str]) -> Command {
    let mut command = green_light(arguments);
    command
        .args(["-p", "green-light", "--"])
        .args(WITH_ALL_FEATURES)
        .args(["--test", program, "--"])
        .args(selected);
    command
}

/// What it printed.
pub(crate) fn text(output: &Output) -> String {
    format!(
        "{}\n{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}
