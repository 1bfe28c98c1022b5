//! `cargo xtask test`: all set-up and all tests.

use std::{env, fs, path::PathBuf, thread};

use super::list::Command;
use crate::{leftover, step::Step, target, tool};

/// The subcommand.
pub(super) const COMMAND: Command = Command {
    name: "test",
    about: "sets up what the tests need and runs all of them",
    details: "\
Installs what is missing (a C compiler, PostgreSQL, MariaDB, Redis and Chromium by apt-get, cargo-nextest by cargo; the
services of the databases are not used, and not started either), then runs

  cargo test -p bookshop                          what the README shows first
  cargo nextest run -p bookshop                   the same tests, a process for each
  cargo test --workspace --all-features           everything, doc tests included
  BOOKSHOP_BACKEND=postgres cargo test --workspace --all-features --test shop
  BOOKSHOP_BACKEND=mysql cargo test --workspace --all-features --test shop
  cargo xtask features                            green-light with each choice of its features, without warnings
  cargo test --workspace --all-features --test twins --test tools
                                                  two checkouts, by cargo and nextest at once; the page of a
                                                  timeline in Chromium
  cargo xtask conformance --every 2               the order of fixtures, compared with pytest's
  cargo xtask strangers                           projects of users, each with other neighbours
  cargo nextest run --workspace --all-features -E 'package(invitations)'
                                                  200 processes, which share one Redis and one provider of mail
  cargo nextest run --workspace --all-features    the tests again, a process for each, but for those that start
                                                  such processes themselves with any runner

and stops at the first that fails. The last lines are nextest's summary, unless a database server that
the tests have started is still there afterwards.

With `--server-path DIR` it installs no servers, and runs what needs one against those in DIR, such as
another version of PostgreSQL: the tests of the fixtures, `--test db`, and bookshop. Repeat the option for
several directories. A server that is in none of them is the one that is installed.",
    run,
};

/// Tests that start the processes which they are about: they take minutes, and would do the same again.
const IN_PROCESSES_OF_THEIR_OWN: &str = "binary(crowded) | binary(feature_sets) | binary(manifest) | binary(output) \
     | binary(ui) | package(cargo-green-light) | test(/^(budgets|crashes|killed|observe|places|restart|silence)::/)";

fn run(arguments: &[String]) -> Result<(), String> {
    let directories = server_paths(arguments)?;
    if !directories.is_empty() {
        return with_servers(&directories);
    }
    tool::c_compiler()?;
    tool::nextest()?;
    tool::database_servers()?;
    tool::redis()?;
    tool::browser()?;

    Step::cargo(["test", "--locked", "-p", "bookshop"]).run()?;
    Step::cargo(["nextest", "run", "--locked", "-p", "bookshop"]).run()?;
    // All that follows has the same features, so that it is built once.
    let all = ["test", "--locked", "--workspace", "--all-features"];
    // Most tests of servers wait more than they compute.
    let threads = 2 * thread::available_parallelism().map_or(1, usize::from);
    Step::cargo(all)
        .arg("--")
        .arg(format!("--test-threads={threads}"))
        .run()?;
    for backend in ["postgres", "mysql"] {
        let bookshop = Step::cargo(all).arg("--test=shop");
        bookshop.env("BOOKSHOP_BACKEND", backend).run()?;
    }
    super::features::run(&[])?;
    let with_other_programs = Step::cargo(all).arg("--test=twins").arg("--test=tools");
    with_other_programs.run()?;
    // Half of the graphs: their build takes longer than their runs.
    super::conformance::run(&["--every".to_owned(), "2".to_owned()])?;
    super::strangers::run(&[])?;
    let nextest = [
        "nextest",
        "run",
        "--locked",
        "--workspace",
        "--all-features",
    ];
    if cfg!(target_os = "linux") {
        once_for_a_run(Step::cargo(nextest).arg("--filterset=package(invitations)"))?;
    }
    Step::cargo(nextest)
        .arg(format!("--test-threads={threads}"))
        .arg(format!("--filterset=not ({IN_PROCESSES_OF_THEIR_OWN})"))
        .run()?;
    leftover::none()
}

/// Runs the tests of the example with `run` fixtures, whose processes have to share one of each.
fn once_for_a_run(tests: Step) -> Result<(), String> {
    let directory = target::directory().join("once-for-a-run");
    // A directory that is not there has no logs.
    let _ = fs::remove_dir_all(&directory);
    tests.env("GREEN_LIGHT_DIR", &directory).run()?;
    let logs = fs::read_dir(directory.join("run")).map_err(|error| error.to_string())?;
    let logs = logs.filter_map(|log| fs::read_to_string(log.ok()?.path()).ok());
    let text = logs.collect::<String>();
    // Each keeper begins with such a line.
    let keepers = |fixture: &str| text.matches(&format!("keeps fixture `{fixture}`")).count();
    if ["mail_url", "redis_url"].map(keepers) == [1, 1] {
        return Ok(());
    }
    Err(format!(
        "the fixtures `mail_url` and `redis_url` were to be kept by one process each:\n{text}"
    ))
}

/// The directories of `--server-path DIR`, each of which must hold a server.
fn server_paths(arguments: &[String]) -> Result<Vec<PathBuf>, String> {
    const SERVERS: [&str; 3] = ["postgres", "mariadbd", "mysqld"];
    let mut directories = Vec::new();
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        let directory = match argument.strip_prefix("--server-path=") {
            Some(directory) => Some(directory),
            None if argument == "--server-path" => arguments.next().map(String::as_str),
            None => {
                return Err(format!(
                    "unexpected argument `{argument}`\n  help: `cargo xtask test` takes \
                     `--server-path DIR`; to run some of the tests, use `cargo test`"
                ));
            }
        };
        // Tests look in absolute directories only, whichever one they run in.
        let directory = directory
            .and_then(|directory| fs::canonicalize(directory).ok())
            .filter(|found| SERVERS.iter().any(|server| found.join(server).is_file()));
        directories.push(directory.ok_or_else(|| {
            format!(
                "`--server-path` wants a directory with one of `{}`",
                SERVERS.join("`, `")
            )
        })?);
    }
    Ok(directories)
}

/// Runs what needs a server, with those in `directories` before all others.
fn with_servers(directories: &[PathBuf]) -> Result<(), String> {
    let installed = env::var_os("PATH").unwrap_or_default();
    let directories = directories
        .iter()
        .cloned()
        .chain(env::split_paths(&installed));
    let path = env::join_paths(directories).map_err(|error| error.to_string())?;
    let run = |step: Step| step.env("PATH", &path).run();
    run(Step::cargo(["test", "--locked", "--all-features"]).arg("-pgreen-light-fixtures"))?;
    run(Step::cargo([
        "test",
        "--locked",
        "--all-features",
        "--test",
        "db",
    ]))?;
    for backend in ["postgres", "mysql"] {
        let bookshop = Step::cargo(["test", "--locked", "--all-features", "-p", "bookshop"]);
        run(bookshop.env("BOOKSHOP_BACKEND", backend))?;
    }
    leftover::none()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(arguments: &[&str]) -> Result<Vec<PathBuf>, String> {
        let arguments: Vec<_> = arguments.iter().map(ToString::to_string).collect();
        server_paths(&arguments)
    }

    #[test]
    fn a_directory_must_hold_a_server() {
        let directory = env::temp_dir().join(format!("green-light-xtask-{}", std::process::id()));
        fs::create_dir_all(&directory).unwrap();
        let named = directory.to_str().unwrap();
        assert!(
            paths(&["--server-path", named])
                .unwrap_err()
                .contains("`mysqld`")
        );
        fs::write(directory.join("mysqld"), "").unwrap();
        let found = fs::canonicalize(&directory).unwrap();
        assert_eq!(
            paths(&["--server-path", named]).unwrap(),
            std::slice::from_ref(&found)
        );
        let joined = format!("--server-path={named}");
        assert_eq!(paths(&[&joined, &joined]).unwrap(), [found.clone(), found]);
        fs::remove_dir_all(directory).unwrap();
        assert!(paths(&["--server-path"]).is_err());
        assert!(paths(&["--fast"]).unwrap_err().contains("`--fast`"));
        assert_eq!(paths(&[]).unwrap(), Vec::<PathBuf>::new());
    }
}
