//! How long cargo builds a test binary.

use std::fs::File;
use std::process::{Command, Stdio};
use std::time::SystemTime;

use super::project::{Project, Source};
use super::timing::{Time, time};

/// The times of a build of each source in turn, `rounds` times, as `cargo test` builds it.
///
/// # Errors
///
/// If cargo cannot be started or a build fails.
pub(crate) fn take_turns(
    project: &Project,
    sources: &[Source],
    rounds: usize,
) -> Result<Vec<Vec<Time>>, String> {
    let mut times = vec![Vec::with_capacity(rounds); sources.len()];
    // The first build of each is of its dependencies, too.
    for round in 0..=rounds {
        for (source, times) in sources.iter().zip(&mut times) {
            let took = build(project, source)?;
            if round > 0 {
                times.push(took);
            }
        }
    }
    Ok(times)
}

fn build(project: &Project, source: &Source) -> Result<Time, String> {
    let file = project
        .directory
        .join(format!("tests/{}.rs", source.name()));
    let told = |error: std::io::Error| format!("{}: {error}", file.display());
    let opened = File::options().append(true).open(&file).map_err(told)?;
    opened.set_modified(SystemTime::now()).map_err(told)?;
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command
        .args([
            "test",
            "--quiet",
            "--no-run",
            "--offline",
            "--test",
            &source.name(),
        ])
        .env("CARGO_INCREMENTAL", "0")
        .current_dir(&project.directory)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let (status, took) = time(1, || command.status());
    let status = status.map_err(|error| format!("cargo could not be started: {error}"))?;
    if status.success() {
        Ok(took)
    } else {
        Err(format!("`{}` does not build", source.name()))
    }
}
