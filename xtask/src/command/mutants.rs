//! `cargo xtask mutants`: does the conformance check notice mistakes?

use std::path::Path;

use super::list::Command;
use crate::mutants;

/// The subcommand.
pub(super) const COMMAND: Command = Command {
    name: "mutants",
    about: "makes mistakes in the resolver and sees that each is noticed",
    details: "\
[NAME]    only the mutants with this in their name

Seventeen plausible mistakes are made one by one in a copy of the project below target/mutants. The
graphs of tests/conformance have to notice each of them. Fails on a survivor, and on a mutant that no
longer applies. Takes some minutes; CI does not run it.",
    run,
};

fn run(arguments: &[String]) -> Result<(), String> {
    let filter = match arguments {
        [] => "",
        [filter] => filter,
        [_, other, ..] => {
            return Err(format!(
                "unexpected argument `{other}`\n  help: `cargo xtask mutants --help` lists what it takes"
            ));
        }
    };
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .ok_or("xtask stands in no workspace")?;
    mutants::run(root, filter)
}
