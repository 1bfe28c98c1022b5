//! What a subcommand is, and the list of them. A new one is a file and a line in [`COMMANDS`].

use super::{bench, conformance, coverage, features, guide, mutants, observe, strangers, test};

/// A subcommand of `cargo xtask`.
pub(crate) struct Command {
    /// The word to type.
    pub(crate) name: &'static str,
    /// What it does, in one line.
    pub(crate) about: &'static str,
    /// What it does, in full.
    pub(crate) details: &'static str,
    /// Does it, with the arguments after its name.
    pub(crate) run: fn(&[String]) -> Result<(), String>,
}

impl Command {
    /// What `cargo xtask <name> --help` prints.
    pub(crate) fn help(&self) -> String {
        format!(
            "{}\n\nusage: cargo xtask {}\n\n{}\n",
            self.about, self.name, self.details
        )
    }
}

/// All subcommands.
pub(crate) const COMMANDS: &[Command] = &[
    test::COMMAND,
    strangers::COMMAND,
    features::COMMAND,
    conformance::COMMAND,
    mutants::COMMAND,
    observe::COMMAND,
    coverage::COMMAND,
    bench::COMMAND,
    guide::COMMAND,
];

/// What `cargo xtask --help` prints.
pub(crate) fn help() -> String {
    let mut text =
        String::from("development tasks of green-light\n\nusage: cargo xtask <command>\n\n");
    for command in COMMANDS {
        text.push_str(&format!("  {:<14}{}\n", command.name, command.about));
    }
    text.push_str("\n`cargo xtask <command> --help` says more\n");
    text
}
