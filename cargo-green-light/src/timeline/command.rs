//! What `cargo green-light timeline` does.

use std::env;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{self, Command, ExitCode, Stdio};

use crate::arguments::{ProjectOptions, Runner, TimelineOptions};
use crate::error::Error;
use crate::print::{self, FAINT, STRONG};
use crate::project::{self, Project};
use crate::timeline::page::{self, Shown};
use crate::timeline::{events, lanes, lost, run, summary};

/// Runs the tests, unless there are event files already, and shows what happened.
///
/// # Errors
///
/// When there is nothing to show, or it cannot be written.
pub(crate) fn run(options: &TimelineOptions, project: &ProjectOptions) -> Result<ExitCode, Error> {
    let (title, files, output, code) = if options.events.is_empty() {
        let project = Project::find(project)?;
        let directory = project.target.join("green-light");
        // Another run may go on in this project.
        let file = directory.join(format!("timeline-{}.jsonl", process::id()));
        let code = run_tests(options, &project, &directory, &file)?;
        let output = directory.join("timeline.html");
        (project.name, vec![file], output, code)
    } else {
        let stem = options.events[0].file_stem().unwrap_or_default();
        let title = stem.to_string_lossy().into_owned();
        let output = Path::new("timeline.html").to_owned();
        (title, options.events.clone(), output, ExitCode::SUCCESS)
    };
    let mut all = Vec::new();
    for file in &files {
        all.append(&mut events::read(file)?);
    }
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
    if options.events.is_empty() {
        // The page and the JSON hold all of it.
        let _ = fs::remove_file(&files[0]);
    }
    Ok(code)
}

/// Runs the tests with an event file. How they ended.
fn run_tests(
    options: &TimelineOptions,
    project: &Project,
    directory: &Path,
    file: &Path,
) -> Result<ExitCode, Error> {
    let cannot = |error: io::Error| {
        Error::new(format!(
            "the event file `{}` cannot be made: {error}",
            file.display()
        ))
        .help("let this user write there, or set `CARGO_TARGET_DIR` to another directory")
    };
    fs::create_dir_all(directory).map_err(cannot)?;
    // Events are appended.
    fs::write(file, "").map_err(cannot)?;
    let mut command = match options.runner {
        Runner::Cargo => project.cargo(&["test"]),
        Runner::Nextest => project.cargo(&["nextest", "run"]),
    };
    command
        .args(&options.arguments)
        .env("GREEN_LIGHT_EVENTS", file);
    if options.json {
        command.stdout(io::stderr());
    }
    let shown = project::shown(&command);
    anstream::eprintln!("{FAINT}running `{shown}`{FAINT:#}");
    let status = command.status().map_err(|error| {
        Error::new(format!("`{shown}` cannot be run: {error}"))
            .help("install cargo, and let `PATH` name its directory")
    })?;
    if status.success() {
        return Ok(ExitCode::SUCCESS);
    }
    let wrote_events = fs::metadata(file).is_ok_and(|file| file.len() > 0);
    if wrote_events {
        // Tests failed: that is shown as well.
        let code = status.code().and_then(|code| u8::try_from(code).ok());
        return Ok(ExitCode::from(code.unwrap_or(1)));
    }
    let help = match options.runner {
        Runner::Nextest if !has_nextest(project) => {
            "install nextest: `cargo install --locked cargo-nextest`"
        }
        _ => "see its output above; no test of green-light has ended, so there is nothing to show",
    };
    Err(Error::new(format!("`{shown}` failed: {status}")).help(help))
}

fn has_nextest(project: &Project) -> bool {
    let cargo = project.cargo(&[]);
    let mut probe = Command::new(cargo.get_program());
    let probe = probe.args(["nextest", "--version"]).output();
    probe.is_ok_and(|probe| probe.status.success())
}

fn nothing(options: &TimelineOptions) -> Error {
    let fact = match &options.events[..] {
        [] => "no test of green-light has run".to_owned(),
        files => {
            let files: Vec<_> = files
                .iter()
                .map(|file| format!("`{}`", file.display()))
                .collect();
            format!("there is no test in {}", files.join(", "))
        }
    };
    Error::new(fact).help(
        "the timeline shows tests that are marked `#[green_light::test]`; is there one, and does no filter leave it out?",
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
