//! The rendered graphs as a cargo project of their own, built once, many graphs to a binary.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::graph::{Case, Test};
use super::render;
use crate::build;

/// How many graphs share a test binary.
const GRAPHS_IN_A_BINARY: usize = 50;

/// A built project.
pub(crate) struct Project {
    directory: PathBuf,
    /// The binary of each graph.
    binaries: HashMap<String, PathBuf>,
}

impl Project {
    /// Renders and builds `cases` below the target directory.
    pub(crate) fn build(root: &Path, cases: &[&Case]) -> Result<Self, String> {
        let directory = root.join("target/conformance");
        let tests = directory.join("tests");
        let _ = fs::remove_dir_all(&tests);
        fs::create_dir_all(&tests).map_err(|error| format!("{}: {error}", tests.display()))?;
        write(&directory.join("Cargo.toml"), &manifest(root))?;
        let lock = root.join("Cargo.lock");
        fs::copy(&lock, directory.join("Cargo.lock"))
            .map_err(|error| format!("{}: {error}", lock.display()))?;
        let mut file_of = HashMap::new();
        for (number, chunk) in cases.chunks(GRAPHS_IN_A_BINARY).enumerate() {
            let file = format!("graphs_{number:02}");
            let mut source = render::PRELUDE.to_owned();
            for case in chunk {
                source.push_str(&render::module(case));
                file_of.insert(case.ident.clone(), file.clone());
            }
            write(&tests.join(format!("{file}.rs")), &source)?;
        }
        println!("building {} graphs in {}", cases.len(), directory.display());
        write(&directory.join("lib.rs"), "")?;
        let executables = build::tests(&directory, &[])?;
        let binaries = file_of
            .into_iter()
            .filter_map(|(case, file)| Some((case, executables.get(&file)?.clone())))
            .collect();
        Ok(Self {
            directory,
            binaries,
        })
    }

    /// Runs some tests of one graph and returns their events.
    pub(crate) fn run(
        &self,
        case: &Case,
        tests: &[&Test],
        threads: usize,
    ) -> Result<String, String> {
        let binary = self
            .binaries
            .get(&case.ident)
            .ok_or_else(|| format!("{} was not built", case.name))?;
        let events = self.directory.join(format!("{}.jsonl", case.ident));
        let _ = fs::remove_file(&events);
        let output = Command::new(binary)
            .arg("--exact")
            .args(
                tests
                    .iter()
                    .map(|test| format!("{}::{}", case.ident, test.full_name())),
            )
            .args(["--test-threads", &threads.to_string()])
            .env("GREEN_LIGHT_EVENTS", &events)
            .env_remove("RUST_BACKTRACE")
            .env_remove("NEXTEST")
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .output()
            .map_err(|error| format!("{}: {error}", binary.display()))?;
        let status = output.status;
        if !matches!(status.code(), Some(0 | 101)) {
            return Err(format!("the tests of {} ended with {status}", case.name));
        }
        let written = fs::read_to_string(&events)
            .map_err(|error| format!("{}: {error}", events.display()))?;
        let _ = fs::remove_file(&events);
        agrees_with_libtest(&String::from_utf8_lossy(&output.stdout), &written)?;
        Ok(written)
    }
}

/// Whether libtest was told what the event log says.
fn agrees_with_libtest(said: &str, events: &str) -> Result<(), String> {
    for line in events.lines().filter(|line| line.contains("\"OUTCOME\"")) {
        let event: serde_json::Value =
            serde_json::from_str(line).map_err(|error| format!("{error}: {line}"))?;
        let test = event["test"].as_str().unwrap_or_default();
        let word = match event["outcome"].as_str() {
            Some("failed" | "error") => "FAILED",
            _ => "ok",
        };
        let expected = format!("test {test} ... {word}");
        if !said.lines().any(|line| line == expected) {
            return Err(format!("libtest does not say `{expected}`"));
        }
    }
    Ok(())
}

fn manifest(root: &Path) -> String {
    format!(
        "[package]\nname = \"conformance\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n\
         [lib]\npath = \"lib.rs\"\n\n\
         [dev-dependencies]\n\
         green-light = {{ path = {:?}, default-features = false, features = [\"macros\"] }}\n\n\
         [profile.dev]\ndebug = false\n\n[workspace]\n",
        root.display().to_string()
    )
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))
}
