//! `cargo xtask coverage`: which lines the tests run.

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
their lines. What is only evaluated by the compiler, and what ends its process at once, such as the
report of a stack overflow, counts as not run. Needs cargo-llvm-cov, which it installs, and the component
`llvm-tools` of rustup.",
    run,
};

/// What a process that a test has killed leaves may be half a file.
const SCRIPT: &str = "\
set -eu
export CARGO_TARGET_DIR=\"$PWD/target/coverage\"
eval \"$(\"$CARGO\" llvm-cov show-env --sh)\"
export LLVM_PROFDATA_FLAGS=-failure-mode=all
\"$CARGO\" llvm-cov clean --profraw-only
\"$CARGO\" nextest run --locked --workspace --all-features
report() {
    \"$CARGO\" llvm-cov report -p green-light -p green-light-core -p green-light-macros \\
        -p green-light-fixtures \"$@\"
}
[ $# -eq 0 ] || report \"$@\"
report --fail-under-lines 95";

fn run(arguments: &[String]) -> Result<(), String> {
    if let Some(other) = arguments.iter().find(|argument| *argument != "--html") {
        return Err(format!(
            "unexpected argument `{other}`\n  help: `cargo xtask coverage --help` lists what it takes"
        ));
    }
    tool::nextest()?;
    tool::database_servers()?;
    tool::llvm_cov()?;
    let step = Step::new("sh").arg("-c").arg(SCRIPT).arg("sh");
    arguments.iter().fold(step, Step::arg).run()
}
