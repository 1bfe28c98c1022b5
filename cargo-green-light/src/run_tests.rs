//! A run of the project's tests with an event file.

use std::fs;
use std::io;
use std::path::PathBuf;
use std::process::{self, Command, ExitCode, Output};

use crate::arguments::Runner;
use crate::error::Error;
use crate::events::{self, Event};
use crate::print::FAINT;
use crate::project::{self, Project};

/// What to run.
pub(crate) struct TestRun<'a> {
    pub(crate) runner: Runner,
    /// What the user has written behind `--`.
    pub(crate) arguments: &'a [String],
    /// The value of `GREEN_LIGHT_SHOW`, if tests are to be described and not run.
    pub(crate) show: Option<&'static str>,
    /// Whether the output of the runner may stand on stdout.
    pub(crate) may_print: bool,
}

/// What came of it.
pub(crate) struct Ended {
    pub(crate) events: Vec<Event>,
    /// How the runner ended.
    pub(crate) code: ExitCode,
}

impl TestRun<'_> {
    /// Runs it.
    ///
    /// # Errors
    ///
    /// When no test has written an event.
    pub(crate) fn run(&self, project: &Project) -> Result<Ended, Error> {
        let file = event_file(project)?;
        let ended = self.run_into(project, &file);
        let events = ended.and_then(|code| Ok((events::read(&file)?, code)));
        // All of it is in memory.
        let _ = fs::remove_file(&file);
        let (events, code) = events?;
        Ok(Ended { events, code })
    }

    fn run_into(&self, project: &Project, file: &PathBuf) -> Result<ExitCode, Error> {
        let mut command = match self.runner {
            Runner::Cargo => project.cargo(&["test"]),
            Runner::Nextest => project.cargo(&["nextest", "run"]),
        };
        command.args(self.arguments).env("GREEN_LIGHT_EVENTS", file);
        match self.show {
            Some(show) => command.env("GREEN_LIGHT_SHOW", show),
            None => command.env_remove("GREEN_LIGHT_SHOW"),
        };
        let typed = project::shown(&command);
        anstream::eprintln!("{FAINT}running `{typed}`{FAINT:#}");
        let cannot = |error: io::Error| {
            Error::new(format!("`{typed}` cannot be run: {error}"))
                .help("install cargo, and let `PATH` name its directory")
        };
        let (status, held_back) = match self.show {
            // What libtest prints says nothing here, unless something is wrong.
            Some(_) => {
                command.stderr(process::Stdio::inherit());
                let Output { status, stdout, .. } = command.output().map_err(cannot)?;
                (status, stdout)
            }
            None => {
                if !self.may_print {
                    command.stdout(io::stderr());
                }
                (command.status().map_err(cannot)?, Vec::new())
            }
        };
        if status.success() {
            return Ok(ExitCode::SUCCESS);
        }
        anstream::eprint!("{}", String::from_utf8_lossy(&held_back));
        let wrote_events = fs::metadata(file).is_ok_and(|file| file.len() > 0);
        if wrote_events {
            // Tests failed: that is shown as well.
            let code = status.code().and_then(|code| u8::try_from(code).ok());
            return Ok(ExitCode::from(code.unwrap_or(1)));
        }
        let help = match self.runner {
            Runner::Nextest if !has_nextest(project) => {
                "install nextest: `cargo install --locked cargo-nextest`"
            }
            _ => {
                "see its output above; no test of green-light has ended, so there is nothing to show"
            }
        };
        Err(Error::new(format!("`{typed}` failed: {status}")).help(help))
    }
}

/// A file that no other run has, although several may go on in this project.
fn event_file(project: &Project) -> Result<PathBuf, Error> {
    let directory = project.target.join("green-light");
    let file = directory.join(format!("events-{}.jsonl", process::id()));
    let made = fs::create_dir_all(&directory).and_then(|()| fs::write(&file, ""));
    made.map_err(|error| {
        Error::new(format!(
            "the event file `{}` cannot be made: {error}",
            file.display()
        ))
        .help("let this user write there, or set `CARGO_TARGET_DIR` to another directory")
    })?;
    Ok(file)
}

fn has_nextest(project: &Project) -> bool {
    let cargo = project.cargo(&[]);
    let mut probe = Command::new(cargo.get_program());
    let probe = probe.args(["nextest", "--version"]).output();
    probe.is_ok_and(|probe| probe.status.success())
}

/// No test has run that is marked for green-light.
pub(crate) fn nothing_has_run() -> Error {
    Error::new("no test of green-light has run").help(
        "only tests that are marked `#[green_light::test]` are shown; is there one, and does no filter leave it out?",
    )
}
