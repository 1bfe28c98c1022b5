//! A test binary that is run to be timed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use super::timing::{Time, in_the_middle, time};

/// A built test binary, and which of its tests are run in what environment.
#[derive(Clone)]
pub(crate) struct Binary {
    name: String,
    path: PathBuf,
    /// What selects tests: all of them without a word.
    filter: Vec<String>,
    /// How many tests that are.
    tests: u32,
    environment: Vec<(&'static str, String)>,
    /// In how many rounds it takes its turn once.
    every: usize,
}

impl Binary {
    pub(crate) fn new(name: String, path: PathBuf, tests: u32) -> Self {
        Self {
            name,
            path,
            filter: Vec::new(),
            tests,
            environment: Vec::new(),
            every: 1,
        }
    }

    /// The same, of each number of its source only the test whose name begins with `prefix`.
    pub(crate) fn only(mut self, prefix: &str) -> Self {
        self.filter = vec![format!("{prefix}_")];
        self
    }

    /// The same with the first `tests` tests of `prefix`.
    pub(crate) fn first(mut self, prefix: &str, tests: u32) -> Self {
        self.filter = (0..tests)
            .map(|number| format!("{prefix}_{number}"))
            .collect();
        self.filter.push("--exact".to_owned());
        self.tests = tests;
        self
    }

    /// The same with a variable in its environment.
    pub(crate) fn env(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.environment.push((name, value.into()));
        self
    }

    /// The same, taking its turn in one of so many rounds: it is slow.
    pub(crate) fn every(mut self, rounds: usize) -> Self {
        self.every = rounds;
        self
    }

    /// Runs its tests on `threads` threads and returns what one of them took.
    ///
    /// # Errors
    ///
    /// If it cannot be started, or a test fails.
    fn run(&self, threads: u32) -> Result<Time, String> {
        let times = self.path.with_extension("times");
        let _ = fs::remove_file(&times);
        let mut command = Command::new(&self.path);
        command
            .args(["--quiet", "--test-threads", &threads.to_string()])
            .args(&self.filter)
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .env("BENCH_TESTS", self.tests.to_string())
            .env("BENCH_TIMES", &times)
            .stdin(Stdio::null());
        let (output, mut took) = time(self.tests, || command.output());
        let output = output.map_err(|error| format!("{}: {error}", self.path.display()))?;
        let printed = String::from_utf8_lossy(&output.stdout);
        let ran = printed.contains(&format!("ok. {} passed;", self.tests));
        if !output.status.success() || !ran {
            return Err(format!(
                "{} tests of `{}` were to pass\n{printed}{}",
                self.tests,
                self.name,
                String::from_utf8_lossy(&output.stderr)
            ));
        }
        took.between = read(&times);
        Ok(took)
    }
}

/// The times in a file, if there is one: those of `benches/clock.rs`.
fn read(times: &Path) -> Option<Duration> {
    let text = fs::read_to_string(times).ok()?;
    let times = text.lines().map_while(|line| line.parse().ok());
    Some(in_the_middle(times.map(Duration::from_nanos).collect()))
}

/// The times of each binary, which take turns `rounds` times.
///
/// Whatever else the machine does hits all of them alike, so a ratio means more than any time.
///
/// # Errors
///
/// If one cannot be started, or a test fails.
pub(crate) fn take_turns(
    binaries: &[&Binary],
    threads: u32,
    rounds: usize,
) -> Result<Vec<Vec<Time>>, String> {
    let mut times = vec![Vec::with_capacity(rounds); binaries.len()];
    // The first run of each reads it from disk and makes what is made once.
    for round in 0..=rounds {
        for (binary, times) in binaries.iter().zip(&mut times) {
            if round % binary.every != 0 {
                continue;
            }
            let took = binary.run(threads)?;
            // A slow one has few turns, and the first is like the others.
            if round > 0 || binary.every > 1 {
                times.push(took);
            }
        }
    }
    Ok(times)
}
