//! A shell on a database: the program that its vendor has for it.

use std::env;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use green_light_fixtures::checkup::{self, Shell};

use crate::databases::found::Found;
use crate::error::Error;
use crate::print::FAINT;

/// Runs it until the user leaves it. How it ended.
///
/// # Errors
///
/// When it is not installed.
pub(crate) fn open(found: &Found, arguments: &[String]) -> Result<ExitCode, Error> {
    let url = &found.database.url;
    let shell = checkup::shell(found.backend, url)?;
    let Some(program) = program(&shell) else {
        let names: Vec<_> = shell
            .programs
            .iter()
            .map(|name| format!("`{name}`"))
            .collect();
        return Err(
            Error::new(format!("{} is not installed", names.join(" or "))).help(format!(
                "install it ({}), or open {} in another program",
                shell.install,
                url.redacted()
            )),
        );
    };
    anstream::eprintln!(
        "{FAINT}{} on {}{FAINT:#}",
        program.display(),
        found.database.name
    );
    let mut command = Command::new(&program);
    command.args(&shell.arguments).args(arguments);
    if let Some((variable, password)) = shell.password {
        command.env(variable, password);
    }
    let status = command.status().map_err(|error| {
        Error::new(format!("`{}` cannot be run: {error}", program.display()))
            .help(format!("install it: {}", shell.install))
    })?;
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    Ok(ExitCode::from(code.unwrap_or(1)))
}

/// Where it is: beside the server, or in `PATH`.
fn program(shell: &Shell) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let directories: Vec<_> = shell
        .directory
        .iter()
        .cloned()
        .chain(env::split_paths(&path))
        .collect();
    let places = directories.iter().flat_map(|directory| {
        let end = env::consts::EXE_SUFFIX;
        shell
            .programs
            .iter()
            .map(move |name| directory.join(format!("{name}{end}")))
    });
    places.into_iter().find(|place| place.is_file())
}
