//! A test binary that is run to be timed.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// A built test binary.
pub(crate) struct Binary {
    pub(crate) name: String,
    pub(crate) path: PathBuf,
    /// How many tests it holds.
    pub(crate) tests: u32,
    /// Set for the run.
    pub(crate) environment: Vec<(&'static str, String)>,
}

impl Binary {
    /// Runs all its tests on `threads` threads and returns what one test took.
    ///
    /// # Errors
    ///
    /// If it cannot be started, or a test fails.
    pub(crate) fn run(&self, threads: u32) -> Result<Duration, String> {
        let begin = Instant::now();
        let output = Command::new(&self.path)
            .args(["--quiet", "--test-threads", &threads.to_string()])
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .output()
            .map_err(|error| format!("{}: {error}", self.path.display()))?;
        let took = begin.elapsed();
        if !output.status.success() {
            return Err(format!(
                "tests of `{}` failed\n{}{}",
                self.name,
                String::from_utf8_lossy(&output.stdout),
                String::from_utf8_lossy(&output.stderr)
            ));
        }
        Ok(took / self.tests)
    }
}

/// The times of one test of each binary, the binaries taking turns `rounds` times.
///
/// Whatever else the machine does hits all of them alike, so their ratio means more than any time.
///
/// # Errors
///
/// As [`Binary::run`].
pub(crate) fn take_turns(
    binaries: &[&Binary],
    threads: u32,
    rounds: usize,
) -> Result<Vec<Vec<Duration>>, String> {
    let mut times = vec![Vec::with_capacity(rounds); binaries.len()];
    // The first run of each reads it from disk.
    for binary in binaries {
        binary.run(threads)?;
    }
    for _ in 0..rounds {
        for (binary, times) in binaries.iter().zip(&mut times) {
            times.push(binary.run(threads)?);
        }
    }
    Ok(times)
}

/// The middle one.
pub(crate) fn median<T: Copy + PartialOrd>(values: &[T]) -> Option<T> {
    let mut values = values.to_vec();
    values.sort_by(|one, other| one.partial_cmp(other).unwrap_or(std::cmp::Ordering::Equal));
    values.get(values.len() / 2).copied()
}

/// The median of the ratios of times that were taken in turn.
pub(crate) fn ratio(ours: &[Duration], theirs: &[Duration]) -> f64 {
    let ratios: Vec<f64> = ours
        .iter()
        .zip(theirs)
        .map(|(ours, theirs)| ours.as_secs_f64() / theirs.as_secs_f64())
        .collect();
    median(&ratios).unwrap_or(f64::NAN)
}
