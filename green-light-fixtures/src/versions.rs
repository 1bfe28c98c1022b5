//! A second version of SeaORM or sqlx in the lock file of a project whose test fails.
//!
//! Where a connection of the other version meets green-light's, the project does not compile. A URL compiles
//! with both, and what then fails is a table that is not there.

use std::{env, fs, path::Path};

/// The crates, and the versions that green-light is built with, as far as they are compatible.
pub const CRATES: [(&str, &str); 2] = [("sea-orm", "2"), ("sqlx", "0.9")];

/// In words, if the lock file of the package under test has another version than the one used here.
pub(crate) fn second_version() -> Option<String> {
    let package = env::var_os("CARGO_MANIFEST_DIR")?;
    let lock = Path::new(&package)
        .ancestors()
        .find_map(|directory| fs::read_to_string(directory.join("Cargo.lock")).ok())?;
    other_in(&lock)
}

fn other_in(lock: &str) -> Option<String> {
    CRATES.iter().find_map(|(name, ours)| {
        let versions: Vec<&str> = versions(lock, name).collect();
        let is_ours = |version: &&&str| {
            let rest = version.strip_prefix(ours);
            rest.is_some_and(|rest| rest.starts_with('.'))
        };
        let own = versions.iter().find(is_ours)?;
        let other = versions.iter().find(|version| !is_ours(version))?;
        Some(format!(
            "the database that was asked has no such table; `Cargo.lock` has {name} {other} beside {name} {own}, \
             which green-light uses\n  \
             help: code on the other version connects by itself, so give it the URL of the fixture `database_url`; if \
             this test runs none, look at the name of the table and at the `schema` fixture"
        ))
    })
}

/// The versions of the package `name` in a lock file.
fn versions<'a>(lock: &'a str, name: &str) -> impl Iterator<Item = &'a str> {
    let begin = format!("name = \"{name}\"");
    lock.split("[[package]]").filter_map(move |package| {
        let mut lines = package.lines().map(str::trim);
        lines.find(|line| *line == begin)?;
        let version = lines.find_map(|line| line.strip_prefix("version = \""))?;
        version.strip_suffix('"')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lock(packages: &[(&str, &str)]) -> String {
        let entry = |(name, version): &(&str, &str)| {
            format!("[[package]]\nname = \"{name}\"\nversion = \"{version}\"\nsource = \"x\"\n\n")
        };
        packages.iter().map(entry).collect()
    }

    #[test]
    fn a_second_version_is_named_with_both_numbers() {
        let text = other_in(&lock(&[
            ("sea-orm", "1.1.19"),
            ("sea-orm", "2.0.4"),
            ("sea-orm-macros", "1.1.19"),
        ]));
        let text = text.unwrap();
        let part = "`Cargo.lock` has sea-orm 1.1.19 beside sea-orm 2.0.4, which green-light uses\n  help: ";
        assert!(text.contains(part), "{text}");
        let text = other_in(&lock(&[("sqlx", "0.8.6"), ("sqlx", "0.9.0")])).unwrap();
        assert!(text.contains("sqlx 0.8.6 beside sqlx 0.9.0"), "{text}");
    }

    #[test]
    fn one_version_is_nothing_to_speak_of() {
        for packages in [
            &[
                ("sea-orm", "2.0.4"),
                ("sqlx", "0.9.0"),
                ("sqlx-core", "0.9.0"),
            ][..],
            &[("sqlx", "0.8.6")],
            &[],
        ] {
            assert_eq!(other_in(&lock(packages)), None);
        }
    }
}
