//! What `cargo green-light server` does.

use std::process::ExitCode;
use std::time::Duration;

use green_light_fixtures::{Backend, checkup};
use tokio::runtime::Runtime;

use crate::arguments::{
    BackendName, LogsOptions, ProjectOptions, ServerAction, StartOptions, StopOptions,
};
use crate::doctor::tree;
use crate::error::Error;
use crate::print::{self, GOOD, STRONG, age, listed};
use crate::project::Project;
use crate::server::logs;
use crate::server::status::{self, State, Status};
use crate::spinner::Spinner;

/// Looks at the servers of a project, and does with them what was asked.
///
/// # Errors
///
/// When a server cannot be started, asked or stopped.
pub(crate) fn run(action: &ServerAction, project: &ProjectOptions) -> Result<ExitCode, Error> {
    let project = Project::find(project)?;
    checkup::use_target_directory(project.target.clone());
    let runtime = Runtime::new().map_err(|error| Error::no_runtime(&error))?;
    match action {
        ServerAction::Status(options) => {
            let all = status::all(&runtime, &[])?;
            match options.json {
                true => print::json(&all)?,
                false => status::print(&all),
            }
        }
        ServerAction::Start(options) => start(&runtime, &project, options)?,
        ServerAction::Stop(options) => stop(&runtime, options)?,
        ServerAction::Logs(options) => print_logs(&runtime, options)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// The servers that were named.
fn named(names: &[BackendName]) -> Result<Vec<Backend>, Error> {
    let backends: Vec<Backend> = names.iter().map(|name| name.backend()).collect();
    for backend in &backends {
        if checkup::server_facts(*backend)?.is_none() {
            return Err(Error::new(format!("{backend} needs no server"))
                .help("`cargo green-light databases list` shows the files of failed tests"));
        }
    }
    Ok(backends)
}

fn start(runtime: &Runtime, project: &Project, options: &StartOptions) -> Result<(), Error> {
    let mut backends = named(&options.databases)?;
    if backends.is_empty() {
        backends = of_project(project)?;
    }
    let time = Duration::from_secs(u64::from(options.minutes) * 60);
    for backend in backends {
        if let Some(facts) = checkup::server_facts(backend)?.filter(|facts| facts.is_named) {
            return Err(Error::new(format!(
                "tests use the server that `{}` names",
                facts.variable
            ))
            .help(format!(
                "unset `{}`, and green-light starts its own",
                facts.variable
            )));
        }
        let spinner = Spinner::start(format!("starting {backend}"));
        let started = runtime.block_on(checkup::start_server(backend, time));
        drop(spinner);
        started?;
        let local = checkup::local_server(backend)?;
        let url = local.and_then(|local| local.url).unwrap_or_default();
        anstream::println!(
            "{GOOD}{backend} runs{GOOD:#} for {}, and until the last test has ended, at {url}",
            age(time)
        );
    }
    Ok(())
}

/// The servers whose features the project has turned on.
fn of_project(project: &Project) -> Result<Vec<Backend>, Error> {
    let features = tree::examine(&project.dependencies()?)
        .features
        .unwrap_or_default();
    let mut backends = Vec::new();
    for backend in checkup::BACKENDS {
        if features.contains(backend.name()) && checkup::server_facts(backend)?.is_some() {
            backends.push(backend);
        }
    }
    match backends.is_empty() {
        true => Err(
            Error::new("the project has no feature of green-light on that needs a server")
                .help("name the server: `cargo green-light server start postgres`, or `mysql`"),
        ),
        false => Ok(backends),
    }
}

fn stop(runtime: &Runtime, options: &StopOptions) -> Result<(), Error> {
    let wanted = named(&options.databases)?;
    let all = status::all(runtime, &wanted)?;
    let running: Vec<&Status> = all
        .iter()
        .filter(|status| status.state == State::Runs)
        .collect();
    if let Some(used) = running.iter().find(|status| !status.users.is_empty())
        && !options.force
    {
        let users = used.users.iter().map(|user| format!("`{user}`"));
        return Err(Error::new(format!(
            "the server of {} is in use by {}",
            used.backend,
            listed(users)
        ))
        .help(
            "wait for the end of the tests, which stops it, or write `--force`: then they fail",
        ));
    }
    if running.is_empty() {
        anstream::println!("no server of this project runs");
    }
    for status in running {
        let spinner = Spinner::start(format!("stopping {}", status.backend));
        let backend = status.backend.parse::<Backend>()?;
        let stopped = runtime.block_on(checkup::stop_server(backend));
        drop(spinner);
        match stopped? {
            true => anstream::println!("{GOOD}stopped{GOOD:#} {}", status.backend),
            false => anstream::println!("{} has stopped by itself", status.backend),
        }
    }
    Ok(())
}

fn print_logs(runtime: &Runtime, options: &LogsOptions) -> Result<(), Error> {
    let wanted = named(options.database.as_slice())?;
    let all = status::all(runtime, &wanted)?;
    let with_log: Vec<_> = all
        .iter()
        .filter_map(|status| Some((status, status.log.as_ref()?)))
        .collect();
    match with_log[..] {
        [] => Err(Error::new("no server of this project has a log").help(
            "`cargo green-light server status` shows them; a test or `server start` starts one",
        )),
        [(_, log)] => logs::print(log, options.lines, options.follow),
        _ if options.follow => Err(Error::new(
            "there are several servers, and one log can be followed",
        )
        .help("name the server: `cargo green-light server logs postgres --follow`")),
        ref several => several.iter().try_for_each(|(_, log)| {
            anstream::println!("{STRONG}{}{STRONG:#}", log.display());
            logs::print(log, options.lines, false)
        }),
    }
}
