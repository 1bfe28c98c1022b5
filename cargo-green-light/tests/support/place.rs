//! A directory of green-light's own, with servers that no other test has.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

use crate::command::{WITH_ALL_FEATURES, green_light, root, text};

pub(crate) struct Place(TempDir);

impl Place {
    pub(crate) fn new() -> Self {
        // Every user can enter it: servers do not run as root.
        let mut directory = tempfile::Builder::new();
        let directory = directory.permissions(fs::Permissions::from_mode(0o755));
        Self(directory.tempdir().expect("a directory"))
    }

    /// The command with this place.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = green_light(arguments);
        command.env("GREEN_LIGHT_DIR", self.0.path());
        command
    }

    /// How it ended, and what it printed.
    pub(crate) fn run(&self, arguments: &[&str]) -> (Output, String) {
        let output = self.command(arguments).output().expect("cargo runs");
        let said = text(&output);
        (output, said)
    }

    /// What it printed; it has to end well.
    pub(crate) fn said(&self, arguments: &[&str]) -> String {
        let (output, said) = self.run(arguments);
        assert!(output.status.success(), "{arguments:?}: {said}");
        said
    }

    /// What it refused to do.
    pub(crate) fn refused(&self, arguments: &[&str]) -> String {
        let (output, said) = self.run(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
        said
    }

    /// A list that it printed as JSON.
    pub(crate) fn list(&self, arguments: &[&str]) -> Vec<Value> {
        let (output, said) = self.run(arguments);
        let list = serde_json::from_slice::<Vec<Value>>(&output.stdout);
        list.unwrap_or_else(|error| panic!("{error}: {said}"))
    }

    /// The entry of that list whose `key` is `value`.
    pub(crate) fn entry(&self, arguments: &[&str], key: &str, value: &str) -> Option<Value> {
        let list = self.list(arguments);
        list.into_iter().find(|entry| entry[key] == value)
    }

    /// Tests of green-light's own specimens, which are built already: nothing that waits for them waits for that.
    pub(crate) fn tests(&self, filter: &str) -> Command {
        let [workspace, features] = WITH_ALL_FEATURES;
        let specimens = [
            "test",
            "--quiet",
            workspace,
            features,
            "--test",
            "specimens",
        ];
        let mut build = Command::new(env!("CARGO"));
        build.args(specimens).arg("--no-run").current_dir(root());
        let built = build.output().expect("cargo runs");
        assert!(built.status.success(), "{}", text(&built));
        let mut command = Command::new(env!("CARGO"));
        command
            .args(specimens)
            .args(["--", filter])
            .current_dir(root())
            .env("GREEN_LIGHT_DIR", self.0.path());
        for (name, _) in std::env::vars_os() {
            let name = name.to_string_lossy();
            if name.starts_with("GREEN_LIGHT_") && name != "GREEN_LIGHT_DIR" {
                command.env_remove(&*name);
            }
        }
        command
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = self.command(&["server", "stop", "--force"]).output();
    }
}
