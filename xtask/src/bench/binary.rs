//! A test binary that is run to be timed.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use super::timing::{Time, time};

/// A built test binary.
pub(crate) struct Binary {
    pub(crate) name: String,
    pub(crate) path: PathBuf,
    /// How many tests it holds.
    pub(crate) tests: u32,
    /// Set for its run.
    pub(crate) environment: Vec<(String, String)>,
}

impl Binary {
    /// Runs all its tests on `threads` threads and returns what one of them took.
    ///
    /// # Errors
    ///
    /// If it cannot be started, or a test fails.
    pub(crate) fn run(&self, threads: u32) -> Result<Time, String> {
        let mut command = Command::new(&self.path);
        command
            .args(["--quiet", "--test-threads", &threads.to_string()])
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null());
        let (output, took) = time(self.tests, || command.output());
        let output = output.map_err(|error| format!("{}: {error}", self.path.display()))?;
        if !output.status.success() {
            return Err(format!(
                "tests of `{}` failed\n{}{}",
                self.name,
                String::from_utf8_lossy(&output.stdout),
                String::from_utf8_lossy(&output.stderr)
            ));
        }
        Ok(took)
    }
}

/// The times of each binary, which take turns `rounds` times.
///
/// Whatever else the machine does hits all of them alike, so a ratio means more than any time.
///
/// # Errors
///
/// As [`Binary::run`].
pub(crate) fn take_turns(
    binaries: &[&Binary],
    threads: u32,
    rounds: usize,
) -> Result<Vec<Vec<Time>>, String> {
    let mut times = vec![Vec::with_capacity(rounds); binaries.len()];
    // The first run of each reads it from disk.
    for round in 0..=rounds {
        for (binary, times) in binaries.iter().zip(&mut times) {
            let took = binary.run(threads)?;
            if round > 0 {
                times.push(took);
            }
        }
    }
    Ok(times)
}
