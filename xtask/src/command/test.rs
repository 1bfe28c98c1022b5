//! `cargo xtask test`: all set-up and all tests.

use super::list::Command;
use crate::{leftover, step::Step, tool};

/// The subcommand.
pub(super) const COMMAND: Command = Command {
    name: "test",
    about: "sets up what the tests need and runs all of them",
    details: "\
Installs what is missing (a C compiler, PostgreSQL and MariaDB by apt-get, cargo-nextest by cargo; the
services of the databases are not used, and not started either), then runs

  cargo test -p bookshop                          what the README shows first
  cargo nextest run -p bookshop                   the same tests, a process for each
  BOOKSHOP_BACKEND=postgres cargo test -p bookshop --features postgres,mysql
  BOOKSHOP_BACKEND=mysql cargo test -p bookshop --features postgres,mysql
  cargo test --workspace --all-features           everything, doc tests included
  cargo test --test twins                         two checkouts, by cargo and nextest at once
  cargo xtask conformance --every 2               the order of fixtures, compared with pytest's
  cargo nextest run --workspace --all-features    everything again, a process for each test

and stops at the first that fails. The last lines are nextest's summary, unless a database server that
the tests have started is still there afterwards.",
    run,
};

/// Tests that start cargo themselves. A process for each of them costs minutes and shows nothing
/// that `cargo test` has not shown.
const NOT_UNDER_NEXTEST: &str = "not binary(/^(ui|output|crowded|manifest)$/)";

fn run(arguments: &[String]) -> Result<(), String> {
    if let Some(argument) = arguments.first() {
        return Err(format!(
            "unexpected argument `{argument}`\n  help: `cargo xtask test` takes none; to run some \
             of the tests, use `cargo test`"
        ));
    }
    tool::c_compiler()?;
    tool::nextest()?;
    tool::database_servers()?;

    Step::cargo(["test", "--locked", "-p", "bookshop"]).run()?;
    Step::cargo(["nextest", "run", "--locked", "-p", "bookshop"]).run()?;
    for backend in ["postgres", "mysql"] {
        Step::cargo(["test", "--locked", "-p", "bookshop"])
            .arg("--features")
            .arg("postgres,mysql")
            .env("BOOKSHOP_BACKEND", backend)
            .run()?;
    }
    Step::cargo(["test", "--locked", "--workspace", "--all-features"]).run()?;
    Step::cargo(["test", "--locked", "-p", "green-light", "--test", "twins"]).run()?;
    // Half of the graphs: their build takes longer than their runs.
    super::conformance::run(&["--every".to_owned(), "2".to_owned()])?;
    Step::cargo([
        "nextest",
        "run",
        "--locked",
        "--workspace",
        "--all-features",
    ])
    .arg("--filterset")
    .arg(NOT_UNDER_NEXTEST)
    .run()?;
    leftover::none()
}
