//! Which package of the workspace gets the test, and what it depends on.

use cargo_metadata::semver::{Version, VersionReq};
use cargo_metadata::{Dependency, DependencyKind, Package, TargetKind};
use green_light_fixtures::{Backend, checkup};

use crate::error::Error;
use crate::init::manifest::DEFAULT_FEATURES;
use crate::init::modules::Modules;
use crate::print::{count, listed};
use crate::project::Project;

/// The package that is meant: the one that was named, the one here, or the only one with code on a database.
///
/// # Errors
///
/// When there are several of them, or none.
pub(crate) fn choose(project: &Project) -> Result<&Package, Error> {
    match &project.packages[..] {
        [] => {}
        [name] => {
            let found = project.members.iter().find(|member| *member.name == **name);
            return found.ok_or_else(|| Error::new(format!("there is no package `{name}`")));
        }
        names => {
            return Err(Error::new(format!(
                "`init` is for one package at a time, and {} are named",
                count(names.len(), "package")
            ))
            .help(format!("write `-p {}`", names[0])));
        }
    }
    if let Some(here) = project.here() {
        return Ok(here);
    }
    let with_database = |member: &&Package| uses_database(member) && !is_part_of_others(member);
    let candidates: Vec<_> = project.members.iter().filter(with_database).collect();
    let names = |members: &[&Package]| {
        let names = members.iter().map(|member| format!("`-p {}`", member.name));
        listed(names)
    };
    match candidates[..] {
        [only] => Ok(only),
        [] => {
            let all: Vec<_> = project.members.iter().collect();
            Err(Error::new(format!(
                "no package of the workspace `{}` depends on sea-orm or sqlx",
                project.root.display()
            ))
            .help(format!(
                "name the package whose tests need a database: {}",
                names(&all)
            )))
        }
        _ => Err(Error::new(format!(
            "the workspace has {} with code on a database",
            count(candidates.len(), "package")
        ))
        .help(format!(
            "name the one that gets the test: {}; if the tests of several need the same tables, say once for all of them what \
             they are: https://green-light-rs.github.io/green-light/fixtures.html#a-crate-of-fixtures",
            names(&candidates)
        ))),
    }
}

/// Whether it names a driver.
fn uses_database(member: &Package) -> bool {
    depends_on(member, "sea-orm") || depends_on(member, "sqlx")
}

/// Whether it holds migrations or entities alone, for others.
fn is_part_of_others(member: &Package) -> bool {
    let modules = Modules::of(member);
    let is_migration = depends_on(member, "sea-orm-migration") && !modules.migrators.is_empty();
    let is_entities = !modules.entities.is_empty() && modules.functions == 0;
    is_migration || is_entities
}

/// Whether its tests can name another package.
pub(crate) fn depends_on(member: &Package, name: &str) -> bool {
    dependencies(member, name).next().is_some()
}

/// What it says of another package, where that counts for tests.
pub(crate) fn dependencies<'a>(
    member: &'a Package,
    name: &'a str,
) -> impl Iterator<Item = &'a Dependency> {
    let found = member.dependencies.iter();
    found.filter(move |found| {
        let kinds = [DependencyKind::Normal, DependencyKind::Development];
        found.name == name && kinds.contains(&found.kind)
    })
}

/// The name by which tests call its library; none if it has none.
pub(crate) fn library(member: &Package) -> Option<String> {
    let kinds = [TargetKind::Lib, TargetKind::RLib, TargetKind::DyLib];
    let mut targets = member.targets.iter();
    let library = targets.find(|target| target.kind.iter().any(|kind| kinds.contains(kind)))?;
    Some(library.name.replace('-', "_"))
}

/// Whether its types are those that green-light's fixtures return.
///
/// # Errors
///
/// When it names another version.
pub(crate) fn check_versions(member: &Package) -> Result<(), Error> {
    for (name, ours) in checkup::DRIVERS {
        for dependency in dependencies(member, name) {
            if !may_be(&dependency.req, ours) {
                return Err(Error::new(format!(
                    "`{}` uses {name} {}, and green-light returns the types of {name} {ours}",
                    member.name, dependency.req
                ))
                .help(format!(
                    "write `{name} = \"{ours}\"` in its `Cargo.toml`, and run `cargo green-light init` again; or keep it, and \
                     give your code the URL of the fixture `database_url`: \
                     https://green-light-rs.github.io/green-light/start/others.html"
                )));
            }
        }
    }
    Ok(())
}

/// Whether a requirement allows a version that begins with `ours`.
fn may_be(requirement: &VersionReq, ours: &str) -> bool {
    /// No version of these crates had as many of them.
    const MANY: u64 = 100;
    let mut numbers = ours.split('.').map(|number| number.parse::<u64>().ok());
    let major = numbers.next().flatten().unwrap_or_default();
    let minor = numbers.next().flatten();
    let minors = minor.map_or(0..MANY, |minor| minor..minor + 1);
    let mut versions =
        minors.flat_map(|minor| (0..MANY).map(move |patch| Version::new(major, minor, patch)));
    versions.any(|version| requirement.matches(&version))
}

/// Whether the green-light that it has already can do what the test needs.
///
/// # Errors
///
/// When features are missing.
pub(crate) fn check_features(member: &Package, wanted: &[&str]) -> Result<(), Error> {
    let has = |feature: &&&str| {
        dependencies(member, "green-light").any(|dependency| {
            let by_default = dependency.uses_default_features && DEFAULT_FEATURES.contains(feature);
            by_default || dependency.features.iter().any(|on| on == **feature)
        })
    };
    let missing: Vec<_> = wanted.iter().filter(|feature| !has(feature)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let names = listed(missing.iter().map(|name| format!("`{name}`")));
    let written: Vec<_> = missing.iter().map(ToString::to_string).collect();
    Err(Error::new(format!(
        "`{}` has green-light already, without the features {names}",
        member.name
    ))
    .help(format!(
        "`cargo add --dev green-light --package {} --features {}`, then `cargo green-light init` again",
        member.name,
        written.join(",")
    )))
}

/// Whether a run of the workspace may turn on another database of green-light than this one.
pub(crate) fn has_other_databases(project: &Project, backend: Backend) -> bool {
    let others = checkup::BACKENDS.map(Backend::name);
    project.members.iter().any(|member| {
        dependencies(member, "green-light").any(|dependency| {
            let is_other = |name: &&str| *name != backend.name();
            let has = |name: &str| dependency.features.iter().any(|on| on == name);
            let by_default = dependency.uses_default_features && backend != Backend::Sqlite;
            by_default
                || others
                    .iter()
                    .filter(|name| is_other(name))
                    .any(|name| has(name))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_requirement_allows_our_version_or_not() {
        let allows = |text: &str, ours| may_be(&VersionReq::parse(text).unwrap(), ours);
        for text in [
            "0.9",
            "0.9.1",
            "^0.9",
            "~0.9.0",
            "=0.9.2",
            ">=0.8, <0.10",
            "*",
        ] {
            assert!(allows(text, "0.9"), "{text}");
        }
        for text in ["2", "2.0", "2.0.0-rc.18", "=2.0.3"] {
            assert!(allows(text, "2"), "{text}");
        }
        for text in ["0.8", "1.1", "^0.8.6"] {
            assert!(!allows(text, "0.9") && !allows(text, "2"), "{text}");
        }
    }
}
