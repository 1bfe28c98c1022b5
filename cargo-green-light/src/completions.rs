//! `cargo green-light completions`.

use std::process::ExitCode;

use clap::CommandFactory as _;

use crate::arguments::{Cargo, CompletionsOptions};
use crate::error::Error;

/// Prints the script for a shell: for `cargo-green-light`, which cargo itself completes as its subcommand.
pub(crate) fn print(options: &CompletionsOptions) -> Result<ExitCode, Error> {
    let mut command = Cargo::command();
    let found = command.find_subcommand_mut("green-light");
    let command = found.expect("the only subcommand of `Cargo`");
    clap_complete::generate(
        options.shell,
        command,
        "cargo-green-light",
        &mut std::io::stdout(),
    );
    Ok(ExitCode::SUCCESS)
}
