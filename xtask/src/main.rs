//! Development tasks of green-light: `cargo xtask --help`.
//!
//! Hardly more than the standard library, so that it builds at once on a fresh machine. One file in
//! `command/` is one subcommand; what they share is `build` (the tests of a rendered project),
//! `step` (run a program and say so), `tool` (what must be installed) and `leftover` (what must not
//! be left running).
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command line program talks"
)]

mod bench;
mod build;
mod command;
mod conformance;
mod leftover;
mod mutants;
mod step;
mod target;
mod tool;

use std::{env, process::ExitCode};

use command::COMMANDS;

fn main() -> ExitCode {
    let mut arguments = env::args().skip(1);
    let Some(name) = arguments.next() else {
        print!("{}", command::help());
        return ExitCode::SUCCESS;
    };
    if matches!(name.as_str(), "--help" | "-h" | "help") {
        print!("{}", command::help());
        return ExitCode::SUCCESS;
    }
    let Some(command) = COMMANDS.iter().find(|command| command.name == name) else {
        eprintln!("error: unknown command `{name}`\n  help: `cargo xtask --help` lists them");
        return ExitCode::from(2);
    };
    let rest: Vec<String> = arguments.collect();
    if rest
        .iter()
        .any(|argument| argument == "--help" || argument == "-h")
    {
        print!("{}", command.help());
        return ExitCode::SUCCESS;
    }
    match (command.run)(&rest) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
