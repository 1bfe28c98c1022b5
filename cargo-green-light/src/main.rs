//! `cargo green-light`: what a run of green-light's tests did with its time, and what is in its way.
//!
//! Each subcommand has a folder: `command.rs` in it is what the command does, the others are what it is made of.
mod arguments;
mod completions;
mod databases;
mod doctor;
mod error;
mod events;
mod init;
mod inspect;
mod print;
mod project;
mod run_tests;
mod server;
mod spinner;
mod timeline;

use std::process::ExitCode;

use arguments::{Action, Cargo};
use clap::Parser as _;

fn main() -> ExitCode {
    let Cargo::GreenLight(arguments) = Cargo::parse();
    arguments.color.apply();
    let ended = match &arguments.action {
        Action::Init(options) => init::command::run(options, &arguments.project),
        Action::Timeline(options) => timeline::command::run(options, &arguments.project),
        Action::Doctor(options) => doctor::command::run(options, &arguments.project),
        Action::Fixtures(options) => inspect::fixtures::run(options, &arguments.project),
        Action::Plan(options) => inspect::plan::run(options, &arguments.project),
        Action::Graph(options) => inspect::graph::run(options, &arguments.project),
        Action::Durations(options) => inspect::durations::run(options, &arguments.project),
        Action::Databases { action } => databases::command::run(action, &arguments.project),
        Action::Server { action } => server::command::run(action, &arguments.project),
        Action::Completions(options) => completions::print(options),
    };
    ended.unwrap_or_else(|error| {
        error.print();
        ExitCode::from(2)
    })
}
