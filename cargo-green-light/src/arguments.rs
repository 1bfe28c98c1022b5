//! What can be written on the command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum, ValueHint};
use clap_complete::Shell;
use green_light_fixtures::Backend;

/// Cargo runs `cargo-green-light green-light ..` for `cargo green-light ..`.
#[derive(Debug, Parser)]
#[command(name = "cargo", bin_name = "cargo", styles = clap_cargo_styles())]
pub(crate) enum Cargo {
    /// Looks at the tests of green-light from outside: where their time goes, and what is in their way
    #[command(name = "green-light", version, propagate_version = true)]
    GreenLight(Arguments),
}

#[derive(Args, Debug)]
#[command(after_help = "\
Exit codes:
  0  all is well
  1  `doctor` has found what keeps tests from running
  100, 101  a test has failed: `timeline` ends with the code of the test runner
  2  the command itself could not do its work: the error says why, and what to do")]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) action: Action,
    #[command(flatten)]
    pub(crate) project: ProjectOptions,
    /// When to print in colour
    #[arg(
        long,
        global = true,
        value_enum,
        default_value = "auto",
        value_name = "WHEN"
    )]
    pub(crate) color: Color,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Action {
    Init(InitOptions),
    Timeline(TimelineOptions),
    Doctor(DoctorOptions),
    /// Lists all fixtures that tests can request, with their scopes, places and documentation
    ///
    /// Builds the tests, and asks each test program; no test of green-light runs, but plain `#[test]` functions do.
    #[command(after_help = "\
Examples:
  cargo green-light fixtures
  cargo green-light fixtures -p shop -- --test api
  cargo green-light fixtures --json | jq '.[] | select(.docs == \"\")'")]
    Fixtures(DescribeOptions),
    /// Shows what each test would set up, in which order, without running it
    ///
    /// Builds the tests, and asks each test program; no test of green-light runs, but plain `#[test]` functions do.
    #[command(after_help = "\
Examples:
  cargo green-light plan -- --test api -- sign_up
  cargo green-light plan --json")]
    Plan(DescribeOptions),
    Graph(GraphOptions),
    Durations(DurationsOptions),
    /// The databases that tests have left or kept: list them, open a shell on one, keep or drop them
    Databases {
        #[command(subcommand)]
        action: DatabasesAction,
    },
    /// The servers that green-light runs for this project: status, start, stop, logs
    Server {
        #[command(subcommand)]
        action: ServerAction,
    },
    Completions(CompletionsOptions),
}

/// Which project is meant.
#[derive(Args, Debug)]
pub(crate) struct ProjectOptions {
    /// The Cargo.toml of the project, if it is not the one here
    #[arg(long, global = true, value_name = "PATH", value_hint = ValueHint::FilePath)]
    pub(crate) manifest_path: Option<PathBuf>,
    /// A package of the workspace; may be given several times
    #[arg(short, long = "package", global = true, value_name = "NAME")]
    pub(crate) packages: Vec<String>,
}

/// Gives a project its first test with a database, and runs it
///
/// Finds where the tables come from: migrations of SeaORM, a directory `migrations` with files of SQL (of sqlx and other
/// tools), or entities of SeaORM; and which database the project is for. Adds green-light to `[dev-dependencies]`, writes
/// one new file in `tests/`, and runs it. Nothing that is there is overwritten.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  cargo green-light init --dry-run
  cargo green-light init
  cargo green-light init -p shop --backend postgres
  cargo green-light init --from migration::Migrator")]
pub(crate) struct InitOptions {
    /// Show what would be written, as `diff -u` does, and write nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Write the test, and do not run it
    #[arg(long)]
    pub(crate) no_run: bool,
    /// Which database the test is for, if the dependencies show several or none
    #[arg(long, value_enum, value_name = "DATABASE")]
    pub(crate) backend: Option<BackendName>,
    /// What makes the tables, if there are several: a type with `impl MigratorTrait`, the directory, or `entities`
    #[arg(long, value_name = "NAME")]
    pub(crate) from: Option<String>,
    /// Take green-light from this directory, a clone of its sources, in place of crates.io
    #[arg(long, value_name = "DIRECTORY", value_hint = ValueHint::DirPath)]
    pub(crate) path: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum BackendName {
    Sqlite,
    Postgres,
    Mysql,
}

impl BackendName {
    pub(crate) fn backend(self) -> Backend {
        match self {
            Self::Sqlite => Backend::Sqlite,
            Self::Postgres => Backend::Postgres,
            Self::Mysql => Backend::MySql,
        }
    }
}

/// Writes one HTML page that shows a run of the tests: what ran when, and what kept it from being faster
///
/// Runs the tests and writes the page. The page needs no network and no other file, so it can be kept as an artifact
/// of a CI job, or be sent to a colleague.
///
/// Each lane of the page is one test at a time. Its colours are set-up, body, teardown, and waits for what other tests
/// have: a connection, a database, a fixture that they are making. Below, the page says to what the rest of the time
/// was lost, with what helps against it.
///
/// Only tests that are marked `#[green_light::test]` are shown.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  cargo green-light timeline --open
  cargo green-light timeline --runner nextest -p shop
  cargo green-light timeline -- --test api -- --test-threads 8
  cargo green-light timeline --events ci-events.jsonl --output ci.html
  cargo green-light timeline --json | jq '.shares'")]
pub(crate) struct TimelineOptions {
    /// What runs the tests
    #[arg(long, value_enum, default_value = "cargo", value_name = "RUNNER")]
    pub(crate) runner: Runner,
    /// Show this file, which a run with `GREEN_LIGHT_EVENTS=FILE` has written, and run nothing; may be given several times
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, conflicts_with_all = ["runner", "arguments", "packages"])]
    pub(crate) events: Vec<PathBuf>,
    /// Where to write the page [default: green-light/timeline.html in the target directory]
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) output: Option<PathBuf>,
    /// Open the page in the browser
    #[arg(long)]
    pub(crate) open: bool,
    /// Print all that the page shows as JSON, and write no page unless `--output` names one
    #[arg(long)]
    pub(crate) json: bool,
    /// What `cargo test` or `cargo nextest run` gets as well
    #[arg(last = true, value_name = "ARGUMENT")]
    pub(crate) arguments: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Runner {
    /// `cargo test`: the tests of one program on threads, one program after the other
    Cargo,
    /// `cargo nextest run`: a process for each test
    Nextest,
}

/// Looks for what keeps tests from running, or makes them slower, and says what helps
///
/// Looks at the dependencies of the project, at the variables of green-light, at its directory, and at the databases whose
/// features are on: it starts or finds each server as a test does, and makes and drops a database there.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  cargo green-light doctor
  cargo green-light doctor --all
  cargo green-light doctor --json | jq '.findings[] | select(.level == \"problem\")'

Exit code 1 says that something keeps tests from running.")]
pub(crate) struct DoctorOptions {
    /// Try all databases, also those whose features are off
    #[arg(long)]
    pub(crate) all: bool,
    /// Print what was found as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// What is asked of the tests without running them.
#[derive(Args, Debug)]
pub(crate) struct DescribeOptions {
    /// Print it as JSON
    #[arg(long)]
    pub(crate) json: bool,
    /// What `cargo test` gets as well
    #[arg(last = true, value_name = "ARGUMENT")]
    pub(crate) arguments: Vec<String>,
}

/// Draws which fixture gets which other ones
///
/// Takes the plans of all tests that the arguments select, without running them; plain `#[test]` functions do run.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  cargo green-light graph
  cargo green-light graph --format mermaid -- --test api >fixtures.mmd
  cargo green-light graph --format svg --output fixtures.svg
  cargo green-light graph --tests -- --test api -- sign_up")]
pub(crate) struct GraphOptions {
    /// How to draw it
    #[arg(long, value_enum, default_value = "text", value_name = "FORMAT")]
    pub(crate) format: GraphFormat,
    /// Show the tests as well, not only how many there are
    #[arg(long)]
    pub(crate) tests: bool,
    /// Where to write it [default: stdout]
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) output: Option<PathBuf>,
    /// What `cargo test` gets as well
    #[arg(last = true, value_name = "ARGUMENT")]
    pub(crate) arguments: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum GraphFormat {
    /// A tree for each fixture that no other one gets
    Text,
    /// For Markdown on GitHub and GitLab, and in mdBook
    Mermaid,
    /// A picture, light or dark as its viewer is
    Svg,
}

/// Runs the tests, and lists what took longest: set-ups, bodies and teardowns
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  cargo green-light durations
  cargo green-light durations --number 30 -- --test api
  cargo green-light durations --by fixture

`cargo green-light timeline` shows also when it was, and what waited for what.")]
pub(crate) struct DurationsOptions {
    /// What runs the tests
    #[arg(long, value_enum, default_value = "cargo", value_name = "RUNNER")]
    pub(crate) runner: Runner,
    /// How many are listed
    #[arg(short, long, default_value_t = 10, value_name = "NUMBER")]
    pub(crate) number: usize,
    /// What is added up
    #[arg(long, value_enum, default_value = "part", value_name = "WHAT")]
    pub(crate) by: DurationsBy,
    /// Print all of them as JSON
    #[arg(long)]
    pub(crate) json: bool,
    /// What `cargo test` or `cargo nextest run` gets as well
    #[arg(last = true, value_name = "ARGUMENT")]
    pub(crate) arguments: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum DurationsBy {
    /// Nothing: each set-up, body and teardown for itself
    Part,
    /// All set-ups and teardowns of a fixture
    Fixture,
    /// The whole of a test
    Test,
}

#[derive(Debug, Subcommand)]
pub(crate) enum DatabasesAction {
    List(ListOptions),
    Shell(ShellOptions),
    Keep(KeepOptions),
    Drop(DropOptions),
}

/// Lists the databases that tests have, have left, or have kept: whose, how old, how large
///
/// Looks where tests of this project have databases: in files, on the servers that green-light runs here, and on those
/// that variables name.
#[derive(Args, Debug)]
#[command(after_help = "\
States:
  kept      of a test that failed, by `GREEN_LIGHT_KEEP` or `databases keep`
  left      its test or its process has ended; the next run drops it
  in use    a test has it
  ready     made ahead of tests; shown by `--all`
  template  the databases of tests are made from it; shown by `--all`")]
pub(crate) struct ListOptions {
    /// Show also what is there for the next tests
    #[arg(long)]
    pub(crate) all: bool,
    /// Print all of them as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Opens psql, mysql or sqlite3 on a database
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  cargo green-light databases shell
  cargo green-light databases shell a_name_is_taken_once
  cargo green-light databases shell gl_d_3f -- -c 'SELECT * FROM users'")]
pub(crate) struct ShellOptions {
    /// A database, the beginning of its name, or its test [default: the one that was kept last]
    #[arg(value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// What the program gets as well
    #[arg(last = true, value_name = "ARGUMENT")]
    pub(crate) arguments: Vec<String>,
}

/// Keeps databases whose test has ended, until `databases drop` names them
#[derive(Args, Debug)]
pub(crate) struct KeepOptions {
    /// Databases, or the beginnings of their names
    #[arg(required = true, value_name = "NAME")]
    pub(crate) names: Vec<String>,
}

/// Drops databases that are left, or those that are named; never one that a test uses
#[derive(Args, Debug)]
pub(crate) struct DropOptions {
    /// Databases, the beginnings of their names, or their tests [default: all that are left]
    #[arg(value_name = "NAME")]
    pub(crate) names: Vec<String>,
    /// Drop also all that are kept
    #[arg(long, conflicts_with = "names")]
    pub(crate) kept: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ServerAction {
    Status(StatusOptions),
    Start(StartOptions),
    Stop(StopOptions),
    Logs(LogsOptions),
}

/// Shows which servers run, where, for how long, and who uses them
#[derive(Args, Debug)]
pub(crate) struct StatusOptions {
    /// Print it as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Starts servers, so that tests find them, and other programs can use them
#[derive(Args, Debug)]
#[command(after_help = "\
Without it, the first test that needs a server starts it, and it stops some seconds after the last one.

Example:
  cargo green-light server start postgres --minutes 480")]
pub(crate) struct StartOptions {
    /// Which ones [default: those whose features the project has on]
    #[arg(value_enum, value_name = "DATABASE")]
    pub(crate) databases: Vec<BackendName>,
    /// For how many minutes they run, whether or not tests do
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..=1440), value_name = "NUMBER")]
    pub(crate) minutes: u32,
}

/// Stops servers; their databases stay in their files
#[derive(Args, Debug)]
pub(crate) struct StopOptions {
    /// Which ones [default: all of this project]
    #[arg(value_enum, value_name = "DATABASE")]
    pub(crate) databases: Vec<BackendName>,
    /// Also under tests that run, which then fail
    #[arg(long)]
    pub(crate) force: bool,
}

/// Prints what a server has logged since its start
#[derive(Args, Debug)]
pub(crate) struct LogsOptions {
    /// Which one [default: all of this project]
    #[arg(value_enum, value_name = "DATABASE")]
    pub(crate) database: Option<BackendName>,
    /// How many lines at most
    #[arg(long, default_value_t = 50, value_name = "NUMBER")]
    pub(crate) lines: usize,
    /// Go on with what comes, until Ctrl-C
    #[arg(long)]
    pub(crate) follow: bool,
}

/// Prints what a shell needs to complete the command line
#[derive(Args, Debug)]
#[command(after_help = "\
Example:
  cargo green-light completions bash >~/.local/share/bash-completion/completions/cargo-green-light")]
pub(crate) struct CompletionsOptions {
    /// Which shell
    #[arg(value_enum)]
    pub(crate) shell: Shell,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Color {
    /// If the output is a terminal
    Auto,
    Always,
    Never,
}

impl Color {
    /// Makes it the choice of this process.
    pub(crate) fn apply(self) {
        let choice = match self {
            Self::Auto => anstream::ColorChoice::Auto,
            Self::Always => anstream::ColorChoice::Always,
            Self::Never => anstream::ColorChoice::Never,
        };
        choice.write_global();
    }
}

/// As cargo has its help.
const fn clap_cargo_styles() -> clap::builder::Styles {
    use clap::builder::styling::{AnsiColor, Effects, Styles};
    Styles::styled()
        .header(AnsiColor::Green.on_default().effects(Effects::BOLD))
        .usage(AnsiColor::Green.on_default().effects(Effects::BOLD))
        .literal(AnsiColor::Cyan.on_default().effects(Effects::BOLD))
        .placeholder(AnsiColor::Cyan.on_default())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_well_made() {
        Cargo::command().debug_assert();
    }
}
