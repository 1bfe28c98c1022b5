//! A copy of the project to make mistakes in.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::list::{Edit, Mutant};

/// The copy.
pub(super) struct Tree {
    pub(super) root: PathBuf,
    original: PathBuf,
}

impl Tree {
    /// Copies every file that git knows, except for those that are there already.
    pub(super) fn copy(original: &Path) -> Result<Self, String> {
        let root = original.join("target/mutants");
        let output = Command::new("git")
            .args(["ls-files", "-z"])
            .current_dir(original)
            .output()
            .map_err(|error| format!("git could not be started: {error}"))?;
        let files = String::from_utf8_lossy(&output.stdout).into_owned();
        let tree = Self {
            root,
            original: original.to_owned(),
        };
        for file in files.split_terminator('\0') {
            // A file may be deleted and not yet committed.
            if original.join(file).is_file() {
                tree.restore(file)?;
            }
        }
        Ok(tree)
    }

    /// Makes the mistake.
    pub(super) fn apply(&self, mutant: &Mutant) -> Result<(), String> {
        for Edit { file, from, to } in mutant.edits {
            let path = self.root.join(Self::below(file));
            let text = read(&path)?;
            if text.matches(from).count() != 1 {
                return Err(format!(
                    "{} no longer applies: its text does not stand once in {file}\n  \
                     help: write it anew in xtask/src/mutants/list.rs",
                    mutant.name
                ));
            }
            write(&path, &text.replace(from, to))?;
        }
        Ok(())
    }

    /// Takes it back.
    pub(super) fn undo(&self, mutant: &Mutant) -> Result<(), String> {
        let mut edits = mutant.edits.iter();
        edits.try_for_each(|edit| self.restore(&Self::below(edit.file)))
    }

    fn below(file: &str) -> String {
        format!("green-light-core/src/{file}")
    }

    /// Puts the original in place, if it is not there: cargo looks at times.
    fn restore(&self, file: &str) -> Result<(), String> {
        let original = self.original.join(file);
        let original =
            fs::read(&original).map_err(|error| format!("{}: {error}", original.display()))?;
        let path = self.root.join(file);
        if fs::read(&path).is_ok_and(|copy| copy == original) {
            return Ok(());
        }
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(|error| format!("{}: {error}", parent.display()))?;
        }
        fs::write(&path, original).map_err(|error| format!("{}: {error}", path.display()))
    }
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))
}
