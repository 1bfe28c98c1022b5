//! What `init` writes, built and run: on projects that are as those of the guide's first pages, without their tests.

use std::fs;
use std::path::Path;

use crate::command::root;
use crate::project::{Project, ended};

/// The project `name` of `tests/strangers`, as its user had it before green-light.
fn before(name: &str) -> Project {
    let project = Project::new(&[]);
    let source = root().join("tests/strangers").join(name);
    copy(&source, project.path());
    let manifest = project.read("Cargo.toml");
    let (before, after) = manifest.split_once("[dev-dependencies]\n").unwrap();
    let (_, after) = after.split_once("\n\n").unwrap();
    project.write("Cargo.toml", &format!("{before}{after}"));
    project
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().flatten() {
        let name = entry.file_name();
        match entry.path() {
            _ if name == "tests" || name == "target" => {}
            path if path.is_dir() => copy(&path, &to.join(name)),
            path => drop(fs::copy(path, to.join(name)).unwrap()),
        }
    }
}

/// Runs `init`, with the crates that other projects of users have been built with.
fn first_test(project: &Project) -> String {
    let mut command = project.init(&[]);
    command
        .env("CARGO_TARGET_DIR", root().join("target/strangers"))
        .env("CARGO_PROFILE_DEV_DEBUG", "line-tables-only");
    let (output, said) = ended(command);
    assert!(output.status.success(), "{said}");
    said
}

#[test]
fn the_first_test_of_a_project_with_sqlx_on_postgres_passes() {
    let said = first_test(&before("start_sqlx"));
    assert!(said.contains("test users_is_empty ... ok"), "{said}");
    assert!(said.contains("Your first test passes."), "{said}");
}

#[test]
fn the_first_test_of_a_project_with_entities_passes() {
    let said = first_test(&before("start_seaorm"));
    assert!(said.contains("test user_is_empty ... ok"), "{said}");
}
