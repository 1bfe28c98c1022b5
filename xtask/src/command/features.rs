//! `cargo xtask features`: green-light with every choice of its features.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    process::Command as Program,
};

use serde_json::Value;

use super::list::Command;
use crate::step::Step;

/// The subcommand.
pub(super) const COMMAND: Command = Command {
    name: "features",
    about: "builds green-light with no feature, each one, each pair and all",
    details: "\
Checks the libraries with each of these sets, without their tests, and fails on a warning. Two sets that turn
on the same features are checked once.

No feature and each one are built as users build them. With the pairs is built the package `dependencies`, which
turns on all features of other crates: so these are built once.",
    run,
};

/// The features of a package, each with what it turns on by its own line in `Cargo.toml`.
type Features = BTreeMap<String, Vec<String>>;

pub(super) fn run(arguments: &[String]) -> Result<(), String> {
    if let Some(argument) = arguments.first() {
        return Err(format!(
            "unexpected argument `{argument}`\n  help: `cargo xtask features` takes none"
        ));
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .ok_or("xtask stands in no workspace")?;
    for set in sets(&features(root)?) {
        let mut check = Step::cargo(["check", "--locked", "--quiet", "-pgreen-light"]);
        if set.len() > 1 {
            check = check.arg("-pdependencies");
        }
        // Not `green-light/sqlite`: green-light has itself as a dev-dependency, whose features that would turn on.
        check
            .arg("--no-default-features")
            .arg(format!("--features={}", set.join(",")))
            .run_silent()?;
    }
    Ok(())
}

/// The features of green-light, as cargo knows them.
fn features(root: &Path) -> Result<Features, String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Program::new(cargo)
        .args(["metadata", "--no-deps", "--locked", "--format-version=1"])
        .current_dir(root)
        .output()
        .map_err(|error| format!("`cargo metadata` could not be started: {error}"))?;
    let metadata: Value = serde_json::from_slice(&output.stdout)
        .map_err(|error| format!("`cargo metadata` printed no JSON: {error}"))?;
    metadata["packages"]
        .as_array()
        .into_iter()
        .flatten()
        .find(|package| package["name"] == "green-light")
        .and_then(|package| serde_json::from_value(package["features"].clone()).ok())
        .ok_or_else(|| "`cargo metadata` does not know green-light".to_owned())
}

/// No feature, each one, each pair and all; without those that turn on the same features as one before.
fn sets(features: &Features) -> Vec<Vec<&str>> {
    let names: Vec<&str> = features.keys().map(String::as_str).collect();
    let mut sets = vec![Vec::new()];
    sets.extend(names.iter().map(|name| vec![*name]));
    for (position, first) in names.iter().enumerate() {
        sets.extend(
            names[position + 1..]
                .iter()
                .map(|second| vec![*first, *second]),
        );
    }
    sets.push(names);
    let mut seen = BTreeSet::new();
    sets.retain(|set| seen.insert(turned_on(features, set)));
    sets
}

/// All features that are on with `set`. `default` itself changes nothing.
fn turned_on<'a>(features: &'a Features, set: &[&'a str]) -> BTreeSet<&'a str> {
    let mut open = set.to_vec();
    let mut on = BTreeSet::new();
    while let Some(name) = open.pop() {
        if let Some(others) = features.get(name)
            && on.insert(name)
        {
            open.extend(others.iter().map(String::as_str));
        }
    }
    on.remove("default");
    on
}

#[cfg(test)]
mod tests {
    use super::*;

    fn three() -> Features {
        let lines: [(&str, &[&str]); 4] = [
            ("default", &["cache"]),
            ("cache", &["dep:cached"]),
            ("log", &[]),
            ("log-file", &["log"]),
        ];
        lines
            .into_iter()
            .map(|(name, on)| {
                let on = on.iter().map(ToString::to_string).collect();
                (name.to_owned(), on)
            })
            .collect()
    }

    #[test]
    fn each_choice_is_made_once() {
        let expected: [&[&str]; 6] = [
            &[],
            &["cache"],
            &["log"],
            &["log-file"],
            &["cache", "log"],
            &["cache", "log-file"],
        ];
        assert_eq!(sets(&three()), expected);
    }

    #[test]
    fn the_features_of_green_light_are_known() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let features = features(root).unwrap();
        for name in ["default", "sqlite", "sea-orm-migration"] {
            assert!(features.contains_key(name), "{name}");
        }
        assert!(sets(&features).len() > 20);
    }

    #[test]
    fn arguments_are_refused() {
        assert!(run(&["--all".to_owned()]).unwrap_err().contains("`--all`"));
    }
}
