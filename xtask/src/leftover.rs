//! What tests must not leave behind: database servers.

use std::{
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::{Duration, Instant},
};

use crate::target;

/// A server has some seconds after its last user, and then as many to stop.
const LIMIT: Duration = Duration::from_secs(60);

/// Waits until no server below the target directory runs any more.
pub(crate) fn none() -> Result<(), String> {
    let target = target::directory();
    // The projects of `cargo xtask strangers` are built in a directory of their own, and have their own.
    let directories = ["green-light/servers", "strangers/green-light/servers"];
    none_in(&directories.map(|directory| target.join(directory)))
}

/// Waits until no server below the directories runs any more.
pub(crate) fn none_in(directories: &[PathBuf]) -> Result<(), String> {
    let begun = Instant::now();
    loop {
        let mut left = Vec::new();
        for directory in directories {
            left.extend(processes_with(directory)?);
        }
        if left.is_empty() {
            return Ok(());
        }
        if begun.elapsed() > LIMIT {
            return Err(format!(
                "database servers of the tests are still running:\n  {}",
                left.join("\n  ")
            ));
        }
        thread::sleep(Duration::from_millis(200));
    }
}

/// The processes that have a path below `directory` among their arguments.
fn processes_with(directory: &Path) -> Result<Vec<String>, String> {
    let listed = Command::new("ps")
        .args(["-A", "-o", "pid=,args="])
        .output()
        .map_err(|error| format!("`ps` could not be started: {error}"))?;
    let directory = directory.to_string_lossy().into_owned();
    Ok(String::from_utf8_lossy(&listed.stdout)
        .lines()
        .filter(|line| line.contains(&directory))
        .map(|line| line.trim().to_owned())
        .collect())
}

#[cfg(test)]
mod tests {
    use std::{env, process::Stdio};

    use super::*;

    #[test]
    fn finds_a_process_by_its_argument() {
        let directory = env::temp_dir().join(format!("leftover-{}", std::process::id()));
        assert_eq!(processes_with(&directory).unwrap(), Vec::<String>::new());
        let mut child = Command::new("sh")
            .args(["-c", "read -r _"])
            .arg(directory.join("server"))
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        assert_eq!(processes_with(&directory).unwrap().len(), 1);
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(processes_with(&directory).unwrap(), Vec::<String>::new());
    }
}
