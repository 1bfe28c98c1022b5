//! The projects of `tests/strangers` are as strict as the code here, and so are the examples that stand alone.

use std::{fs, path::PathBuf};

use crate::files::{assert_tidy, root};

/// What each manifest must hold, and why.
const LINES: [(&str, &str); 2] = [
    ("\n[workspace]\n", "else it belongs to the workspace here"),
    (
        "\n[lints.rust]\nwarnings = \"deny\"\n",
        "what our macros expand to must not warn",
    ),
];

/// The directories of projects, and the way from one of them to green-light.
const DIRECTORIES: [(&str, &str); 2] = [
    ("tests/strangers", "path = \"../../..\""),
    ("examples", "path = \"../..\""),
];

/// The projects in `directory`. An example without a lock belongs to the workspace here.
fn projects(directory: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(root().join(directory)).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    paths
        .filter(|path| path.is_dir())
        .filter(|path| directory != "examples" || path.join("Cargo.lock").is_file())
        .collect()
}

#[test]
fn each_stranger_stands_alone_is_locked_and_denies_warnings() {
    let mut complaints = Vec::new();
    for (directory, path) in DIRECTORIES {
        let projects = projects(directory);
        assert!(!projects.is_empty(), "there is no project in {directory}");
        for project in projects {
            let shown = project.strip_prefix(root()).unwrap().display();
            let Ok(manifest) = fs::read_to_string(project.join("Cargo.toml")) else {
                complaints.push(format!("{shown} has no Cargo.toml"));
                continue;
            };
            let manifest = format!("{manifest}\n");
            let path = (path, "it has to test the green-light beside it");
            for (line, why) in LINES.into_iter().chain([path]) {
                if !manifest.contains(line) {
                    let line = line.trim().replace('\n', " ");
                    complaints.push(format!("{shown}/Cargo.toml lacks `{line}`: {why}"));
                }
            }
            if !project.join("Cargo.lock").is_file() {
                complaints.push(format!(
                    "{shown} has no Cargo.lock: run `cargo xtask strangers --relock`"
                ));
            }
        }
    }
    assert_tidy(&complaints);
}

/// The folders of the crates that strangers build.
const CRATES: [&str; 4] = [
    ".",
    "green-light-core",
    "green-light-fixtures",
    "green-light-macros",
];

/// `cargo test --locked` refuses a lock that is behind, after all else has been built and run.
#[test]
fn the_locks_of_strangers_have_what_the_crates_need() {
    let mut complaints = Vec::new();
    let mut looked_at = 0;
    for project in DIRECTORIES
        .iter()
        .flat_map(|(directory, _)| projects(directory))
    {
        let lock = project.join("Cargo.lock");
        let Ok(text) = fs::read_to_string(&lock) else {
            continue;
        };
        let shown = lock.strip_prefix(root()).unwrap().display();
        for directory in CRATES {
            let manifest = root().join(directory).join("Cargo.toml");
            let manifest = fs::read_to_string(manifest).unwrap();
            let name = package_name(&manifest);
            let Some(locked) = locked_dependencies(&text, name) else {
                continue;
            };
            looked_at += 1;
            for needed in required_dependencies(&manifest) {
                if !locked.contains(&needed) {
                    complaints.push(format!(
                        "{shown} has no `{needed}` for {name}: run `cargo update --workspace` beside it"
                    ));
                }
            }
        }
    }
    assert!(looked_at > 0, "no lock names a crate of this repository");
    assert_tidy(&complaints);
}

fn package_name(manifest: &str) -> &str {
    let after = manifest.split("\nname = \"").nth(1).expect("a name");
    after.split('"').next().unwrap()
}

/// The dependencies of a manifest that no feature turns off.
fn required_dependencies(manifest: &str) -> Vec<&str> {
    let after = manifest.split("\n[dependencies]\n").nth(1).unwrap_or("");
    after
        .lines()
        .take_while(|line| !line.starts_with('['))
        .filter(|line| !line.contains("optional = true"))
        .filter_map(|line| Some(line.split_once(" = ")?.0))
        .collect()
}

/// What a lock says that the package `name` depends on, without versions.
fn locked_dependencies<'a>(lock: &'a str, name: &str) -> Option<Vec<&'a str>> {
    let begin = format!("name = \"{name}\"\n");
    let package = lock
        .split("[[package]]\n")
        .find(|package| package.starts_with(&begin))?;
    let list = package.split("dependencies = [\n").nth(1).unwrap_or("");
    let names = list
        .lines()
        .take_while(|line| *line != "]")
        .filter_map(|line| line.trim().trim_matches(['"', ',']).split(' ').next());
    Some(names.collect())
}
