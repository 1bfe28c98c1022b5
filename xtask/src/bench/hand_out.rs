//! How long a test waits for a database of its own that was prepared, beside a connection alone.

use std::process::{Command, Stdio};
use std::time::Duration;

use super::project::{MIGRATIONS, Project};
use super::table;
use super::timing::in_the_middle;

/// How many milliseconds a test may wait longer than for a connection.
const MORE: f64 = 5.0;

/// Measures it on PostgreSQL, where it is promised.
///
/// # Errors
///
/// If the program that measures does not run.
pub(crate) fn measure(project: &Project, url: &str, rounds: usize) -> Result<(), String> {
    let program = project.program("database_hand_out")?;
    let output = Command::new(&program)
        .arg(rounds.to_string())
        .env("DATABASE_URL", url)
        .env("BENCH_MIGRATIONS", project.migrations(MIGRATIONS[0]))
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| format!("{}: {error}", program.display()))?;
    if !output.status.success() {
        return Err(format!("`{}` failed: {}", program.display(), output.status));
    }
    let (mut connecting, mut waiting) = (Vec::new(), Vec::new());
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let mut numbers = line.split(' ').map(str::parse).map_while(Result::ok);
        connecting.extend(numbers.next().map(Duration::from_micros));
        waiting.extend(numbers.next().map(Duration::from_micros));
    }
    let (connecting, waiting) = (in_the_middle(connecting), in_the_middle(waiting));
    let what = "a prepared database, PostgreSQL";
    table::more(what, waiting, "connect", connecting, MORE);
    Ok(())
}
