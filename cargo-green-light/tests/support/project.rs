//! Projects as users have them, in a directory of their own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

use crate::command::{green_light, root};

/// A fresh project.
pub(crate) struct Project {
    directory: TempDir,
}

impl Project {
    /// With these files, each a path and a text.
    pub(crate) fn new(files: &[(&str, &str)]) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let project = Self { directory };
        for (path, text) in files {
            project.write(path, text);
        }
        project
    }

    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        let file = self.path().join(path);
        fs::create_dir_all(file.parent().expect("in a directory")).expect("a directory");
        fs::write(file, text).expect("a file");
    }

    pub(crate) fn read(&self, path: &str) -> String {
        let file = self.path().join(path);
        fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
    }

    /// All of its files, each with its text.
    pub(crate) fn files(&self) -> Vec<(PathBuf, String)> {
        let mut found = Vec::new();
        let mut left = vec![self.path().to_owned()];
        while let Some(directory) = left.pop() {
            for entry in fs::read_dir(directory).expect("a directory").flatten() {
                match entry.path() {
                    path if path.is_dir() => left.push(path),
                    path => {
                        let text = fs::read_to_string(&path).unwrap_or_default();
                        found.push((path, text));
                    }
                }
            }
        }
        found.sort();
        found
    }

    /// `cargo green-light init` in it, with the green-light of this workspace.
    pub(crate) fn init(&self, arguments: &[&str]) -> Command {
        let mut command = green_light(&["init", "--path"]);
        command.arg(root()).args(arguments).current_dir(self.path());
        command
    }
}

/// Whether it ended well, and what it printed.
pub(crate) fn ended(mut command: Command) -> (Output, String) {
    let output = command.output().expect("cargo runs");
    let said = crate::command::text(&output);
    (output, said)
}
