//! `cargo xtask strangers`: projects of users, built and run as theirs.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use super::list::Command;
use crate::{step::Step, target};

/// The subcommand.
pub(super) const COMMAND: Command = Command {
    name: "strangers",
    about: "builds and tests the user projects of tests/strangers and of examples",
    details: "\
[NAME]..    only the projects with one of these in their name
--relock    first write the Cargo.lock of each anew: the versions of the workspace where it has the
            crate, those of the project for all others

Each directory of tests/strangers is a project as a user has it: a workspace and a Cargo.lock of its own,
and green-light as a path dependency. So are those of examples that have a Cargo.lock. Its formatting is checked, and `cargo test --locked` runs in its
directory. All of them are built below target/strangers, so that crates which they share are built once.
Runs all of them, and then names those that failed.",
    run,
};

pub(super) fn run(arguments: &[String]) -> Result<(), String> {
    let (options, names): (Vec<_>, Vec<_>) = arguments
        .iter()
        .partition(|argument| argument.starts_with('-'));
    if let Some(other) = options.iter().find(|option| option.as_str() != "--relock") {
        return Err(format!(
            "unexpected argument `{other}`\n  help: `cargo xtask strangers --help` lists what it takes"
        ));
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .ok_or("xtask stands in no workspace")?;
    let projects = projects(
        &[root.join("tests/strangers"), root.join("examples")],
        &names,
    )?;
    if !options.is_empty() {
        for project in &projects {
            relock(root, project)?;
        }
    }
    let failed: Vec<String> = projects
        .iter()
        .filter_map(|project| test(project).err())
        .collect();
    if failed.is_empty() {
        return Ok(());
    }
    Err(format!(
        "{} of {} projects failed:\n  {}",
        failed.len(),
        projects.len(),
        failed.join("\n  ")
    ))
}

/// The projects below `directories` that have one of `names` in their name, in order.
///
/// Other examples belong to the workspace, and have no workspace of their own.
fn projects(directories: &[PathBuf], names: &[&String]) -> Result<Vec<PathBuf>, String> {
    let mut all: Vec<PathBuf> = Vec::new();
    for directory in directories {
        let entries =
            fs::read_dir(directory).map_err(|error| format!("{}: {error}", directory.display()))?;
        all.extend(
            entries
                .filter_map(|entry| Some(entry.ok()?.path()))
                .filter(|path| has_workspace(&path.join("Cargo.toml"))),
        );
    }
    all.sort();
    let has = |path: &PathBuf, name: &String| {
        let file = path.file_name().unwrap_or_default();
        file.to_string_lossy().contains(name.as_str())
    };
    if let Some(name) = names
        .iter()
        .find(|name| !all.iter().any(|path| has(path, name)))
    {
        let list: Vec<_> = all
            .iter()
            .filter_map(|path| path.file_name())
            .map(|name| name.to_string_lossy())
            .collect();
        return Err(format!(
            "no project has `{name}` in its name\n  help: there are {}",
            list.join(", ")
        ));
    }
    all.retain(|path| names.is_empty() || names.iter().any(|name| has(path, name)));
    if all.is_empty() {
        let directories: Vec<_> = directories
            .iter()
            .map(|directory| directory.display().to_string())
            .collect();
        return Err(format!(
            "there is no project in {}",
            directories.join(" and ")
        ));
    }
    Ok(all)
}

fn has_workspace(manifest: &Path) -> bool {
    let text = fs::read_to_string(manifest).unwrap_or_default();
    text.lines().any(|line| line == "[workspace]")
}

/// Checks and tests one project.
fn test(project: &Path) -> Result<(), String> {
    let cargo = |step: Step| {
        step.current_dir(project)
            .env("CARGO_TARGET_DIR", target::directory().join("strangers"))
            // Users have the default; no debugger is used here, which would need the values of variables.
            .env("CARGO_PROFILE_DEV_DEBUG", "line-tables-only")
            // The same for macros and build scripts, so that projects which use a crate for either share it.
            .env("CARGO_PROFILE_DEV_BUILD_OVERRIDE_DEBUG", "line-tables-only")
            // `query!` asks the files beside the project, whatever database the developer works with.
            .env("SQLX_OFFLINE", "true")
    };
    cargo(Step::cargo(["fmt", "--check"])).run()?;
    cargo(Step::cargo(["test", "--locked"])).run().map_err(|error| {
        format!(
            "{error}\n    if its Cargo.lock is behind, `cargo xtask strangers --relock {}` renews it",
            project.file_name().unwrap_or_default().to_string_lossy()
        )
    })
}

/// Gives a project the versions of the workspace, and keeps its own of what the workspace does not have.
fn relock(root: &Path, project: &Path) -> Result<(), String> {
    let lock = project.join("Cargo.lock");
    let read = |path: &Path| fs::read_to_string(path).unwrap_or_default();
    let merged = merged(&read(&root.join("Cargo.lock")), &read(&lock));
    fs::write(&lock, merged).map_err(|error| format!("{}: {error}", lock.display()))?;
    // Takes what is missing from the registry, and drops what is not used.
    Step::cargo(["update", "--workspace"])
        .current_dir(project)
        .run()
}

/// The packages of `workspace`, and those of `own` whose name is not among them.
///
/// A package of a name that both have may still be wanted in another version; cargo adds it then.
fn merged(workspace: &str, own: &str) -> String {
    const PACKAGE: &str = "[[package]]\n";
    let name = |package: &str| package.lines().next().unwrap_or_default().to_owned();
    let (head, packages) = workspace.split_once(PACKAGE).unwrap_or((workspace, ""));
    let mut packages: Vec<&str> = packages.split(PACKAGE).collect();
    let known: Vec<String> = packages.iter().map(|package| name(package)).collect();
    let own = own.split(PACKAGE).skip(1);
    packages.extend(own.filter(|package| !known.contains(&name(package))));
    let packages = packages
        .iter()
        .map(|package| format!("{PACKAGE}{}\n", package.trim_end()));
    format!("{head}{}", packages.collect::<Vec<_>>().join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(name: &str, version: &str) -> String {
        format!("[[package]]\nname = \"{name}\"\nversion = \"{version}\"\n")
    }

    #[test]
    fn a_project_is_chosen_by_a_part_of_its_name() {
        let directory = env::temp_dir().join(format!("strangers-{}", std::process::id()));
        for name in ["diesel", "sqlx_only", "no_project"] {
            fs::create_dir_all(directory.join(name)).unwrap();
        }
        let directories = [directory];
        assert!(
            projects(&directories, &[])
                .unwrap_err()
                .contains("no project")
        );
        let [directory] = &directories;
        for name in ["diesel", "sqlx_only"] {
            fs::write(directory.join(name).join("Cargo.toml"), "[workspace]\n").unwrap();
        }
        let member = directory.join("no_project").join("Cargo.toml");
        fs::write(member, "[package]\n").unwrap();
        let found = |names: &[&str]| {
            let names: Vec<String> = names.iter().map(ToString::to_string).collect();
            let found = projects(&directories, &names.iter().collect::<Vec<_>>())?;
            let found = found
                .iter()
                .map(|path| path.file_name().unwrap().to_owned());
            Ok::<_, String>(found.collect::<Vec<_>>())
        };
        assert_eq!(found(&[]).unwrap(), ["diesel", "sqlx_only"]);
        assert_eq!(found(&["sqlx"]).unwrap(), ["sqlx_only"]);
        assert_eq!(found(&["only", "die"]).unwrap(), ["diesel", "sqlx_only"]);
        let error = found(&["die", "no_project"]).unwrap_err();
        assert!(error.contains("`no_project`"), "{error}");
        assert!(error.contains("diesel, sqlx_only"), "{error}");
        fs::remove_dir_all(directory).unwrap();
    }

    #[test]
    fn a_lock_takes_the_versions_of_the_workspace() {
        let workspace = format!(
            "version = 4\n\n{}\n{}",
            package("a", "1.0.1"),
            package("b", "2.0.0")
        );
        let own = format!(
            "version = 4\n\n{}\n{}",
            package("a", "1.0.0"),
            package("c", "3.0.0")
        );
        let expected = [
            package("a", "1.0.1"),
            package("b", "2.0.0"),
            package("c", "3.0.0"),
        ];
        let expected = format!("version = 4\n\n{}", expected.join("\n"));
        assert_eq!(merged(&workspace, &own), expected);
        assert_eq!(merged(&workspace, ""), workspace);
    }

    #[test]
    fn an_unknown_option_is_refused() {
        let error = run(&["--renew".to_owned()]).unwrap_err();
        assert!(error.contains("`--renew`"), "{error}");
    }
}
