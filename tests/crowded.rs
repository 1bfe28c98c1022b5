//! Runs the thousand tests of `thousand/` again and again and looks at what is left.

mod binary;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

const RUNS: usize = 10;

/// Every file below `directory`, except what cargo itself may write meanwhile.
fn files(directory: &Path, found: &mut BTreeSet<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(directory) else {
        return;
    };
    for path in entries.filter_map(|entry| Some(entry.ok()?.path())) {
        if path.is_dir() {
            files(&path, found);
        } else {
            found.insert(path);
        }
    }
}

#[test]
fn a_thousand_tests_share_one_template_and_leave_no_file() {
    let binary = binary::build("thousand");
    let work = tempfile::tempdir().expect("a temporary directory");
    let log = tempfile::NamedTempFile::new().expect("a temporary file");
    let target = work.path().join("target");
    for run in 0..RUNS {
        let output = Command::new(&binary)
            .args(["--test-threads", "8"])
            .current_dir(work.path())
            .env("CARGO_TARGET_DIR", &target)
            .env("TMPDIR", work.path())
            .env("GREEN_LIGHT_EVENTS", log.path())
            .env_remove("NEXTEST")
            .output()
            .expect("the tests run");
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "run {run}: {text}");
        assert!(text.contains("1000 passed"), "run {run}: {text}");
    }
    let events = std::fs::read_to_string(log.path()).expect("events were written");
    let count = |what: &str| events.lines().filter(|line| line.contains(what)).count();
    for fixture in ["engine", "pool", "echo"] {
        let setups = count(&format!("{{\"ev\":\"SETUP\",\"fixture\":\"{fixture}\""));
        assert_eq!(setups, RUNS, "`{fixture}` is set up once in a run");
    }
    assert_eq!(count("\"ev\":\"OUTCOME\""), RUNS * 1000);
    let mut left = BTreeSet::new();
    files(work.path(), &mut left);
    assert!(left.is_empty(), "files were left behind: {left:?}");
}
