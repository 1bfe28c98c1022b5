//! The rendered graphs as a cargo project of their own, built once, many graphs to a binary.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::graph::Case;
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
                file_of.insert(case.name.clone(), file.clone());
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

    /// Runs one graph with one thread and returns its events.
    pub(crate) fn run(&self, case: &Case) -> Result<String, String> {
        let binary = self
            .binaries
            .get(&case.name)
            .ok_or_else(|| format!("{} was not built", case.name))?;
        let events = self.directory.join("events.jsonl");
        let _ = fs::remove_file(&events);
        let status = Command::new(binary)
            .arg(format!("{}::", case.name))
            .args(["--test-threads", "1"])
            .env("GREEN_LIGHT_EVENTS", &events)
            .env_remove("RUST_BACKTRACE")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .map_err(|error| format!("{}: {error}", binary.display()))?;
        if !matches!(status.code(), Some(0 | 101)) {
            return Err(format!("the tests of {} ended with {status}", case.name));
        }
        fs::read_to_string(&events).map_err(|error| format!("{}: {error}", events.display()))
    }
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
