//! Where things stand: heads, maps, and that every file belongs to something.

use std::{fs, path::Path};

use crate::files::{assert_tidy, files, root, rust_files};

#[test]
fn every_file_says_what_it_is_for() {
    let complaints: Vec<String> = rust_files()
        .iter()
        .filter(|file| !file.is_sample() && !file.text.starts_with("//! "))
        .map(|file| format!("{} does not begin with `//!`", file.path))
        .collect();
    assert_tidy(&complaints);
}

#[test]
fn the_private_door_says_so() {
    let path = "green-light-core/src/__private.rs";
    let text = fs::read_to_string(root().join(path)).unwrap();
    assert!(
        text.starts_with("//! Not public API."),
        "{path} must begin with `//! Not public API.`"
    );
}

#[test]
fn maps_of_crates_are_only_maps() {
    let mut complaints = Vec::new();
    for file in rust_files() {
        let name = Path::new(&file.path).file_name().unwrap();
        // Macros have their entry points at the root, and the autouse fixture of a crate stands there.
        let entry_points = ["green-light-macros/src/lib.rs", "tests/support/src/lib.rs"]
            .contains(&file.path.as_str());
        // A user's project is as long as one file of it.
        let is_user = file.path.starts_with("tests/strangers/");
        let is_map = (name == "lib.rs" || name == "mod.rs") && !is_user;
        if is_map && !entry_points && !file.is_sample() {
            let parsed = syn::parse_file(&file.text)
                .unwrap_or_else(|error| panic!("{} does not parse: {error}", file.path));
            let mut strangers = strangers(&file.path, &parsed.items);
            if file.path.starts_with("green-light-macros/") {
                // A macro's map also holds the one function that wires its steps.
                strangers.pop();
            }
            complaints.extend(strangers);
        }
    }
    assert_tidy(&complaints);
}

/// Items that have no place in a map.
fn strangers(path: &str, items: &[syn::Item]) -> Vec<String> {
    let mut complaints = Vec::new();
    for item in items {
        match item {
            syn::Item::Use(_) | syn::Item::ExternCrate(_) => {}
            syn::Item::Mod(module) => {
                let items = module.content.as_ref().map_or(&[][..], |(_, items)| items);
                complaints.extend(strangers(path, items));
            }
            // The one thing a map may say besides: not on this platform.
            syn::Item::Macro(call) if call.mac.path.is_ident("compile_error") => {}
            _ => complaints.push(format!(
                "{path} contains more than docs, modules and re-exports; give it a file of its own"
            )),
        }
    }
    complaints
}

#[test]
fn no_file_names_a_machine() {
    // Put together here, so that this file does not contain them itself.
    let mut names: Vec<String> = ["root", "home", "Users", "tmp"]
        .iter()
        .map(|folder| format!("/{folder}/"))
        .collect();
    names.push(root().to_str().unwrap().to_owned());
    let mut complaints = Vec::new();
    for file in files() {
        for (number, line) in file.text.lines().enumerate() {
            if names.iter().any(|name| line.contains(name.as_str())) {
                complaints.push(format!(
                    "{}:{} names a place on a machine",
                    file.path,
                    number + 1
                ));
            }
        }
    }
    assert_tidy(&complaints);
}

/// A file that no `mod` names is never compiled, and a test in it never runs.
#[test]
fn every_file_is_part_of_a_crate() {
    let all = rust_files();
    let mut complaints = Vec::new();
    for file in all.iter().filter(|file| !file.is_sample()) {
        let path = Path::new(&file.path);
        let (folder, stem) = (path.parent().unwrap(), path.file_stem().unwrap());
        let (place, name) = match stem.to_str().unwrap() {
            "main" | "lib" | "build" => continue,
            "mod" => (folder.parent().unwrap(), folder.file_name().unwrap()),
            _ => (folder, stem),
        };
        let declared = format!("mod {};", name.to_str().unwrap());
        let parents = ["main.rs", "lib.rs", "mod.rs"].map(|map| place.join(map));
        let mut parents = all.iter().filter(|other| {
            let other = Path::new(&other.path);
            parents.iter().any(|parent| parent == other) || other == place.with_extension("rs")
        });
        // Without a parent it is a crate of its own, which Cargo finds by its place.
        let is_whole = parents.clone().next().is_none();
        // In place of another file, in some choices of features.
        let in_place = format!("path = \"{}\"", path.file_name().unwrap().display());
        let is_named = |text: &str| {
            let mut lines = text.lines().map(str::trim);
            lines.any(|line| line.ends_with(&declared) || line.contains(&in_place))
        };
        if !is_whole && !parents.any(|parent| is_named(&parent.text)) {
            complaints.push(format!(
                "{} belongs to nothing: write `{declared}`",
                file.path
            ));
        }
    }
    assert_tidy(&complaints);
}
