//! `cargo xtask coverage`: which lines the tests run.

use std::path::Path;

use super::list::Command;
use crate::{step::Step, tool};

/// The subcommand.
pub(super) const COMMAND: Command = Command {
    name: "coverage",
    about: "measures which lines the tests run",
    details: "\
--html    also write pages that show each line, below target/coverage/llvm-cov

Builds everything anew below target/coverage, so that it counts what runs, and runs all tests, a process
for each, and what these start. Shows a table of the files of the four crates, and fails below 95 % of
their lines. What ends its process at once, such as the report of a stack overflow, and examples in docs
count as not run, and so do constants, but for a file that has nothing else. Needs cargo-llvm-cov, which
it installs, and the component `llvm-tools` of rustup. Where rustup has none, set LLVM_COV and LLVM_PROFDATA
to the programs llvm-cov and llvm-profdata of the LLVM that `rustc -vV` names.",
    run,
};

fn run(arguments: &[String]) -> Result<(), String> {
    if let Some(other) = arguments.iter().find(|argument| *argument != "--html") {
        return Err(format!(
            "unexpected argument `{other}`\n  help: `cargo xtask coverage --help` lists what it takes"
        ));
    }
    tool::nextest()?;
    tool::database_servers()?;
    tool::llvm_cov()?;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/command/coverage.sh");
    let step = Step::new("sh").arg(script);
    arguments.iter().fold(step, Step::arg).run()
}
