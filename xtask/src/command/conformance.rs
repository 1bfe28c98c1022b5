//! `cargo xtask conformance`: green-light's fixtures against pytest's.

use std::path::{Path, PathBuf};

use super::list::Command;
use crate::conformance;

/// The subcommand.
pub(super) const COMMAND: Command = Command {
    name: "conformance",
    about: "compares the order of set-ups and teardowns with pytest's",
    details: "\
--graphs FILE.jsonl    graphs to run, one on a line with the trace of pytest; may be repeated.
                       Without it, those of tests/conformance

Each graph of fixtures and tests is rendered as a user would write it, built, run with one thread,
and its events are compared with pytest's, one by one. Graphs that cannot be compared are listed
with the reason. Fails on any other difference.",
    run,
};

pub(super) fn run(arguments: &[String]) -> Result<(), String> {
    let mut files = Vec::new();
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--graphs" => {
                let file = arguments.next().ok_or("`--graphs` needs a file")?;
                files.push(PathBuf::from(file));
            }
            other => {
                return Err(format!(
                    "unexpected argument `{other}`\n  help: `cargo xtask conformance --help` lists what it takes"
                ));
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .ok_or("xtask stands in no workspace")?;
    if files.is_empty() {
        let directory = root.join("tests/conformance");
        let entries = std::fs::read_dir(&directory)
            .map_err(|error| format!("{}: {error}", directory.display()))?;
        files.extend(entries.filter_map(|entry| Some(entry.ok()?.path())));
        files.sort();
    }
    conformance::run(root, &files)
}
