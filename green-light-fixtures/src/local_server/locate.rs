//! Where the programs of a database server are installed.
//!
//! `PATH` is asked first, being what a user can set; then the places where distributions and Homebrew
//! put servers without adding them to `PATH`, the newest version first.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

/// The first program of `names` in the first directory of `PATH`, or else of `places`, that has any, and has all
/// `companions` too.
///
/// A place may have one component with a `*`, which stands for any text.
pub(crate) fn program(names: &[&str], companions: &[&str], places: &[&str]) -> Option<PathBuf> {
    let mut directories = directories(places).filter(|directory| {
        let mut companions = companions.iter();
        companions.all(|companion| directory.join(companion).is_file())
    });
    directories.find_map(|directory| {
        let mut programs = names.iter().map(|name| directory.join(name));
        programs.find(|program| program.is_file())
    })
}

fn directories(places: &[&str]) -> impl Iterator<Item = PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let listed: Vec<_> = env::split_paths(&path)
        .filter(|directory| directory.is_absolute())
        .collect();
    listed.into_iter().chain(newest_first(places))
}

fn newest_first(places: &[&str]) -> Vec<PathBuf> {
    let mut found: Vec<_> = places.iter().flat_map(|place| expand(place)).collect();
    // Stable, so places without a version stay in the order given.
    found.sort_by(|(a, _), (b, _)| b.cmp(a));
    found.into_iter().map(|(_, path)| path).collect()
}

/// The directories that `place` stands for, each with its version.
fn expand(place: &str) -> Vec<(Vec<u32>, PathBuf)> {
    let Some((before, after)) = place.split_once('*') else {
        return vec![(Vec::new(), PathBuf::from(place))];
    };
    let (parent, prefix) = before.rsplit_once('/').unwrap_or(("", before));
    let (suffix, below) = after.split_once('/').unwrap_or((after, ""));
    let Ok(entries) = fs::read_dir(Path::new("/").join(parent)) else {
        return Vec::new();
    };
    entries
        .flatten()
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let matched = name.strip_prefix(prefix)?.strip_suffix(suffix)?;
            Some((version(matched), entry.path().join(below)))
        })
        .collect()
}

/// The numbers in `text`, for comparison: `@16.2` is newer than `9.6`.
fn version(text: &str) -> Vec<u32> {
    text.split(|c: char| !c.is_ascii_digit())
        .filter_map(|number| number.parse().ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_the_newest_version_that_is_whole() {
        let root = tempfile::tempdir().unwrap();
        for (version, programs) in [
            ("9.6", &["postgres", "initdb"][..]),
            ("15", &["postgres", "initdb"]),
            ("17", &["postgres"]),
            ("x", &[]),
        ] {
            let bin = root.path().join(version).join("bin");
            fs::create_dir_all(&bin).unwrap();
            for program in programs {
                fs::write(bin.join(program), "").unwrap();
            }
        }
        let place = format!("{}/*/bin", root.path().display());
        let places = [place.as_str()];
        let order = newest_first(&places);
        assert!(
            order[0].ends_with("17/bin") && order[1].ends_with("15/bin"),
            "{order:?}"
        );
        for name in ["postgres", "initdb"] {
            let renamed =
                |bin: &PathBuf| fs::rename(bin.join(name), bin.join(format!("our-{name}")));
            order.iter().for_each(|bin| drop(renamed(bin)));
        }
        let whole = program(&["our-postgres"], &["our-initdb"], &places).unwrap();
        assert!(whole.ends_with("15/bin/our-postgres"));
        let newest = program(&["our-mysqld", "our-postgres"], &[], &places).unwrap();
        assert!(newest.ends_with("17/bin/our-postgres"));
        assert_eq!(program(&["no-such-server"], &[], &places), None);
    }

    #[test]
    fn compares_versions_as_numbers() {
        assert!(version("@10") > version("9.6"));
        assert!(version("16.2") > version("16"));
        assert!(version("") < version("9"));
    }
}
