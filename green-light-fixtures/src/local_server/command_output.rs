//! The short output of a program, such as its version.

use std::{
    io::Read as _,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

/// How long the program may run.
const LIMIT: Duration = Duration::from_secs(10);

/// What `command` prints. Nothing if it cannot be run, or does not end in time: then it is killed.
pub(crate) fn stdout_of(command: &mut Command) -> Option<String> {
    stdout_within(command, LIMIT)
}

fn stdout_within(command: &mut Command, limit: Duration) -> Option<String> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let begun = Instant::now();
    // The output is shorter than what a pipe holds, so the program does not wait for a reader.
    while child.try_wait().ok()?.is_none() {
        if begun.elapsed() > limit {
            let _ = child.kill();
            let _ = child.wait();
            return None;
        }
        thread::sleep(Duration::from_millis(1));
    }
    let mut text = String::new();
    child.stdout?.read_to_string(&mut text).ok()?;
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_not_waited_for_without_an_end() {
        let echo = stdout_of(Command::new("sh").args(["-c", "echo 10.11"]));
        assert_eq!(echo.as_deref(), Some("10.11\n"));
        assert_eq!(stdout_of(&mut Command::new("no-such-program")), None);
        let begun = Instant::now();
        let endless = stdout_within(Command::new("sleep").arg("600"), Duration::from_millis(50));
        assert_eq!(endless, None);
        assert!(begun.elapsed() < Duration::from_secs(60));
    }
}
