//! `cargo xtask conformance`: green-light's fixtures against pytest's.

use std::path::{Path, PathBuf};

use super::list::Command;
use crate::conformance::{self, Plan};

/// The subcommand.
pub(super) const COMMAND: Command = Command {
    name: "conformance",
    about: "compares the order of set-ups and teardowns with pytest's",
    details: "\
--graphs FILE.jsonl    graphs to run, one on a line with the trace of pytest; may be repeated.
                       Without it, those of tests/conformance
--threads N            threads of the concurrent run; 8 without it
--every N              only every n-th graph of each file

Each graph of fixtures and tests is rendered as a user would write it, built, and run three times:
with one thread, when its events are compared with pytest's, one by one; some of its tests alone,
compared in the same way; and with several threads, compared by what no schedule may change. Graphs
that are not like pytest's are listed with the reason. Fails on any other difference.",
    run,
};

pub(super) fn run(arguments: &[String]) -> Result<(), String> {
    let mut plan = Plan {
        files: Vec::new(),
        threads: 8,
        every: 1,
    };
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--graphs" => {
                let file = arguments.next().ok_or("`--graphs` needs a file")?;
                plan.files.push(PathBuf::from(file));
            }
            "--threads" => plan.threads = number("--threads", arguments.next())?,
            "--every" => plan.every = number("--every", arguments.next())?,
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
    if plan.files.is_empty() {
        let directory = root.join("tests/conformance");
        let entries = std::fs::read_dir(&directory)
            .map_err(|error| format!("{}: {error}", directory.display()))?;
        plan.files
            .extend(entries.filter_map(|entry| Some(entry.ok()?.path())));
        plan.files.sort();
    }
    conformance::run(root, &plan)
}

fn number(option: &str, value: Option<&String>) -> Result<usize, String> {
    value
        .and_then(|value| value.parse().ok())
        .filter(|number| *number > 0)
        .ok_or_else(|| format!("`{option}` needs a number above zero"))
}
