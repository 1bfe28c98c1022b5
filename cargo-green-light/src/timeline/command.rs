//! What `cargo green-light timeline` does.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use crate::arguments::{ProjectOptions, TimelineOptions};
use crate::error::Error;
use crate::events;
use crate::print::{self, FAINT, STRONG};
use crate::project::Project;
use crate::run_tests::{Ended, TestRun, nothing_has_run};
use crate::timeline::page::{self, Shown};
use crate::timeline::{lanes, lost, run, summary};

/// Runs the tests, unless there are event files already, and shows what happened.
///
/// # Errors
///
/// When there is nothing to show, or it cannot be written.
pub(crate) fn run(options: &TimelineOptions, project: &ProjectOptions) -> Result<ExitCode, Error> {
    let (title, all, output, code) = if options.events.is_empty() {
        let project = Project::find(project)?;
        let tests = TestRun {
            runner: options.runner,
            arguments: &options.arguments,
            show: None,
            may_print: !options.json,
        };
        let Ended { events, code } = tests.run(&project)?;
        let output = project.target.join("green-light/timeline.html");
        (project.name, events, output, code)
    } else {
        let stem = options.events[0].file_stem().unwrap_or_default();
        let title = stem.to_string_lossy().into_owned();
        let output = Path::new("timeline.html").to_owned();
        let mut all = Vec::new();
        for file in &options.events {
            all.append(&mut events::read(file)?);
        }
        (title, all, output, ExitCode::SUCCESS)
    };
    let mut run = run::of(title, &all);
    if run.tests.is_empty() {
        return Err(nothing(options));
    }
    lanes::assign(&mut run);
    let shares = lost::shares(&run);
    let shown = Shown {
        run: &run,
        shares: &shares,
    };
    if options.json {
        print::json(&shown)?;
        if let Some(output) = &options.output {
            page::write(output, &shown)?;
        }
    } else {
        let output = options.output.clone().unwrap_or(output);
        page::write(&output, &shown)?;
        summary::print(&run, &shares);
        anstream::println!(
            "\nthe timeline is in {STRONG}{}{STRONG:#}",
            output.display()
        );
        match options.open {
            true => open(&output)?,
            false => anstream::println!("{FAINT}`--open` opens it{FAINT:#}"),
        }
    }
    Ok(code)
}

fn nothing(options: &TimelineOptions) -> Error {
    let files: Vec<_> = options
        .events
        .iter()
        .map(|file| format!("`{}`", file.display()))
        .collect();
    if files.is_empty() {
        return nothing_has_run();
    }
    Error::new(format!("there is no test in {}", files.join(", "))).help(
        "name files that runs with `GREEN_LIGHT_EVENTS=FILE` have written, with tests that are marked `#[green_light::test]`",
    )
}

/// Opens a file in the program that the user has for it.
fn open(path: &Path) -> Result<(), Error> {
    let path: PathBuf = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let (program, before): (&str, &[&str]) = match env::consts::OS {
        "macos" => ("open", &[]),
        "windows" => ("cmd", &["/C", "start", ""]),
        _ => ("xdg-open", &[]),
    };
    let mut command = Command::new(program);
    command
        .args(before)
        .arg(&path)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let help = "open the file in a browser yourself";
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => {
            Err(Error::new(format!("`{program} {}` failed: {status}", path.display())).help(help))
        }
        Err(error) => Err(Error::new(format!("`{program}` cannot be run: {error}")).help(help)),
    }
}
