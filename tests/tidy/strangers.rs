//! The projects of `tests/strangers` are as strict as the code here.

use std::fs;

use crate::files::{assert_tidy, root};

/// What each manifest must hold, and why.
const LINES: [(&str, &str); 3] = [
    ("\n[workspace]\n", "else it belongs to the workspace here"),
    (
        "\n[lints.rust]\nwarnings = \"deny\"\n",
        "what our macros expand to must not warn",
    ),
    (
        "path = \"../../..\"",
        "it has to test the green-light beside it",
    ),
];

#[test]
fn each_stranger_stands_alone_is_locked_and_denies_warnings() {
    let directory = root().join("tests/strangers");
    let mut complaints = Vec::new();
    let mut projects = 0;
    for entry in fs::read_dir(&directory).unwrap() {
        let project = entry.unwrap().path();
        if !project.is_dir() {
            continue;
        }
        projects += 1;
        let shown = project.strip_prefix(root()).unwrap().display();
        let Ok(manifest) = fs::read_to_string(project.join("Cargo.toml")) else {
            complaints.push(format!("{shown} has no Cargo.toml"));
            continue;
        };
        let manifest = format!("{manifest}\n");
        for (line, why) in LINES {
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
    assert!(projects > 0, "there is no project in tests/strangers");
    assert_tidy(&complaints);
}
