//! What is known of each server.

use std::path::PathBuf;
use std::time::SystemTime;

use green_light_fixtures::Backend;
use green_light_fixtures::checkup::{self, LocalServerState, ServerFacts};
use serde::Serialize;
use tokio::runtime::Runtime;

use crate::error::Error;
use crate::print::{FAINT, GOOD, HELP, NOTE, STRONG, age, listed};

/// One server.
#[derive(Debug, Serialize)]
pub(crate) struct Status {
    pub(crate) backend: &'static str,
    name: &'static str,
    pub(crate) state: State,
    program: Option<PathBuf>,
    /// How its administrator connects, without a password.
    url: Option<String>,
    process: Option<u32>,
    /// For how many seconds it runs on without tests.
    stays: Option<u64>,
    /// The processes that use it.
    pub(crate) users: Vec<String>,
    pub(crate) log: Option<PathBuf>,
    #[serde(skip)]
    help: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum State {
    Runs,
    Stopped,
    NeverStarted,
    NotInstalled,
    /// A variable names another server.
    Named,
}

/// All servers, or that of `only`.
pub(crate) fn all(runtime: &Runtime, only: &[Backend]) -> Result<Vec<Status>, Error> {
    let mut all = Vec::new();
    for backend in checkup::BACKENDS {
        if !only.is_empty() && !only.contains(&backend) {
            continue;
        }
        if let Some(facts) = checkup::server_facts(backend)? {
            let local = checkup::local_server(backend)?;
            let runs = local.as_ref().is_some_and(|local| local.url.is_some());
            let users = match runs {
                true => runtime.block_on(checkup::server_users(backend))?,
                false => Vec::new(),
            };
            all.push(status(backend, facts, local.as_ref(), users));
        }
    }
    Ok(all)
}

fn status(
    backend: Backend,
    facts: ServerFacts,
    local: Option<&LocalServerState>,
    users: Vec<String>,
) -> Status {
    let (state, help) = match local {
        None if facts.is_named => (
            State::Named,
            Some(format!(
                "tests use the server that `{}` names, which green-light neither starts nor stops",
                facts.variable
            )),
        ),
        None => (
            State::NotInstalled,
            Some(format!("to install it: {}", facts.install)),
        ),
        Some(local) if local.url.is_some() => (State::Runs, None),
        Some(local) if local.was_started => (State::Stopped, None),
        Some(_) => (State::NeverStarted, None),
    };
    let stays = local.and_then(|local| local.held_until);
    let stays = stays.and_then(|until| until.duration_since(SystemTime::now()).ok());
    let log = local.map(|local| local.log.clone());
    Status {
        backend: backend.name(),
        name: facts.name,
        state,
        program: facts.program,
        url: local.and_then(|local| local.url.clone()),
        process: local.and_then(|local| local.process),
        stays: stays.map(|stays| stays.as_secs()),
        users,
        log: log.filter(|log| log.is_file()),
        help,
    }
}

/// Prints them.
pub(crate) fn print(all: &[Status]) {
    for status in all {
        let (style, word) = match status.state {
            State::Runs => (GOOD, "runs"),
            State::Stopped => (FAINT, "stopped; the next test that needs it starts it"),
            State::NeverStarted => (
                FAINT,
                "was never started here; the first test that needs it starts it",
            ),
            State::NotInstalled => (NOTE, "is not installed"),
            State::Named => (FAINT, "is another server"),
        };
        anstream::println!("{STRONG}{}{STRONG:#} {style}{word}{style:#}", status.name);
        let line =
            |name: &str, text: String| anstream::println!("  {FAINT}{name:<8}{FAINT:#} {text}");
        if let Some(program) = &status.program {
            line("program", program.display().to_string());
        }
        if let Some(process) = status.process {
            line("process", process.to_string());
        }
        if let Some(url) = &status.url {
            line("at", url.clone());
            line(
                "until",
                match status.stays {
                    Some(seconds) => format!(
                        "{} from now, and the end of all tests",
                        age(std::time::Duration::from_secs(seconds))
                    ),
                    None => "some seconds after the last test".to_owned(),
                },
            );
            let users = status.users.iter().map(|user| format!("`{user}`"));
            line(
                "users",
                match status.users.is_empty() {
                    true => "none".to_owned(),
                    false => listed(users),
                },
            );
        }
        if let Some(log) = &status.log {
            line("log", log.display().to_string());
        }
        if let Some(help) = &status.help {
            anstream::println!("  {HELP}help{HELP:#}: {help}");
        }
    }
}
