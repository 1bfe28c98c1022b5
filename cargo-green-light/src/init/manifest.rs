//! The `Cargo.toml` of the package: its dev-dependencies.

use std::fs;
use std::path::{Path, PathBuf};

use cargo_metadata::Package;
use toml_edit::{Array, ArrayOfTables, DocumentMut, InlineTable, Item, Table, Value};

use crate::error::Error;
use crate::init::change::Change;
use crate::print::listed;

const DEV: &str = "dev-dependencies";
/// What green-light has without a list of features.
pub(crate) const DEFAULT_FEATURES: [&str; 4] = ["crowd", "macros", "sea-orm", "sqlite"];

/// A line below `[dev-dependencies]`.
#[derive(Debug)]
pub(crate) struct Dependency {
    name: String,
    value: Value,
}

impl Dependency {
    /// green-light with these features: of this version, of `path`, or as the workspace has it.
    ///
    /// # Errors
    ///
    /// When green-light is not at `path`.
    pub(crate) fn green_light(
        features: &[&str],
        path: Option<&Path>,
        root: &Path,
    ) -> Result<Self, Error> {
        let name = "green-light".to_owned();
        let is_in_workspace = path.is_none() && is_in_workspace(root, &name);
        let mut value = InlineTable::new();
        match path {
            Some(path) => value.insert("path", sources(path)?.into()),
            None if is_in_workspace => value.insert("workspace", true.into()),
            None => value.insert("version", version().into()),
        };
        // In a workspace, its line says whether the default features are on.
        let mut named = features.to_vec();
        if !is_in_workspace {
            if features.contains(&"sea-orm") && features.contains(&"sqlite") {
                named.retain(|feature| !DEFAULT_FEATURES.contains(feature));
            } else {
                value.insert("default-features", false.into());
            }
        }
        if !named.is_empty() {
            value.insert("features", Value::Array(Array::from_iter(named)));
        }
        let value = match value.get("version") {
            Some(version) if value.len() == 1 => version.clone(),
            _ => Value::InlineTable(value),
        };
        Ok(Self { name, value })
    }

    /// Another package of the workspace.
    pub(crate) fn of_the_workspace(package: &Package, from: &Path) -> Self {
        let to = package.manifest_path.parent();
        let to = to.map_or(Path::new("."), |to| to.as_std_path());
        let mut value = InlineTable::new();
        value.insert("path", relative(from, to).display().to_string().into());
        Self {
            name: package.name.to_string(),
            value: Value::InlineTable(value),
        }
    }
}

/// The requirement for the green-light that this command belongs to.
fn version() -> String {
    let version = env!("CARGO_PKG_VERSION");
    let mut numbers = version.split('.');
    match (numbers.next(), numbers.next()) {
        (Some(major), Some(minor)) => format!("{major}.{minor}"),
        _ => version.to_owned(),
    }
}

/// The directory of green-light's own sources.
fn sources(path: &Path) -> Result<String, Error> {
    let manifest = fs::read_to_string(path.join("Cargo.toml")).unwrap_or_default();
    if !manifest.contains("name = \"green-light\"") {
        return Err(Error::new(format!(
            "`{}` does not hold the sources of green-light",
            path.display()
        ))
        .help(
            "name the directory of a clone of it, or leave `--path` out to take it from crates.io",
        ));
    }
    let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    Ok(path.display().to_string())
}

/// Whether the workspace has a line that its packages inherit.
fn is_in_workspace(root: &Path, name: &str) -> bool {
    let text = fs::read_to_string(root.join("Cargo.toml")).unwrap_or_default();
    let document = text.parse::<DocumentMut>().ok();
    let found = document
        .as_ref()
        .and_then(|document| document.get("workspace")?.get("dependencies")?.get(name));
    found.is_some()
}

fn relative(from: &Path, to: &Path) -> PathBuf {
    let same = from.components().zip(to.components());
    let same = same.take_while(|(one, other)| one == other).count();
    let up = from.components().skip(same).map(|_| "..");
    up.map(PathBuf::from)
        .chain(
            to.components()
                .skip(same)
                .map(|part| PathBuf::from(part.as_os_str())),
        )
        .collect()
}

/// The manifest with the dependencies added, and the test if cargo does not find it by itself; `None` if all is there.
///
/// # Errors
///
/// When it cannot be read.
pub(crate) fn changed(
    path: &Path,
    dependencies: &[Dependency],
    test: &str,
) -> Result<Option<Change>, Error> {
    let cannot = |error: &dyn std::fmt::Display| {
        Error::new(format!("`{}` cannot be read: {error}", path.display()))
            .help("`cargo metadata` has read it; has another program changed it meanwhile?")
    };
    let before = fs::read_to_string(path).map_err(|error| cannot(&error))?;
    let mut document: DocumentMut = before.parse().map_err(|error| cannot(&error))?;
    let mut what = Vec::new();
    for dependency in dependencies {
        add(&mut document, dependency);
        what.push(format!("`{}`", dependency.name));
    }
    let mut what = match &what[..] {
        [] => Vec::new(),
        _ => vec![format!("{} for tests", listed(what))],
    };
    let finds_tests = document
        .get("package")
        .and_then(|package| package.get("autotests"));
    if finds_tests.and_then(Item::as_bool) == Some(false) {
        add_test(&mut document, test);
        what.push("the new test".to_owned());
    }
    let after = document.to_string();
    Ok((after != before).then(|| Change::of_file(path.to_owned(), before, after, listed(what))))
}

fn add(document: &mut DocumentMut, dependency: &Dependency) {
    // Below the dependencies, and after the tables of single ones.
    let position = document
        .get("dependencies")
        .and_then(Item::as_table)
        .and_then(last_position);
    let entry = document.entry(DEV).or_insert_with(|| {
        let mut table = Table::new();
        table.decor_mut().set_prefix("\n");
        table.set_position(position);
        Item::Table(table)
    });
    if let Some(table) = entry.as_table_like_mut() {
        let names: Vec<_> = table.iter().map(|(name, _)| name.to_owned()).collect();
        table.insert(&dependency.name, Item::Value(dependency.value.clone()));
        // Cargo keeps an order that is there.
        if names.is_sorted()
            && let Some(table) = entry.as_table_mut()
        {
            table.sort_values();
        }
    }
}

fn last_position(table: &Table) -> Option<isize> {
    let below = table
        .iter()
        .filter_map(|(_, item)| last_position(item.as_table()?));
    below.chain(table.position()).max()
}

fn add_test(document: &mut DocumentMut, name: &str) {
    let mut table = Table::new();
    table.insert("name", toml_edit::value(name));
    table.insert("path", toml_edit::value(format!("tests/{name}.rs")));
    table.decor_mut().set_prefix("\n");
    let tests = document
        .entry("test")
        .or_insert(Item::ArrayOfTables(ArrayOfTables::new()));
    if let Some(tests) = tests.as_array_of_tables_mut() {
        tests.push(table);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(text: &str) -> String {
        let mut document: DocumentMut = text.parse().unwrap();
        let dependency =
            Dependency::green_light(&["macros", "sqlite"], None, Path::new("none")).unwrap();
        add(&mut document, &dependency);
        document.to_string()
    }

    #[test]
    fn the_line_stands_below_the_dependencies_and_nothing_else_changes() {
        let line = format!(
            "green-light = {{ version = \"{}\", default-features = false, features = [\"macros\", \"sqlite\"] }}\n",
            version()
        );
        assert_eq!(
            with(
                "[package]\nname = \"a\" # here\n\n[dependencies]\nb =  \"1\"\n[dependencies.c]\nversion = \"1\"\n\n[lints]\n"
            ),
            format!(
                "[package]\nname = \"a\" # here\n\n[dependencies]\nb =  \"1\"\n[dependencies.c]\nversion = \"1\"\n\n[dev-dependencies]\n{line}\n[lints]\n"
            )
        );
        assert_eq!(
            with("[dev-dependencies]\na = \"1\"\n# why\nz = \"1\"\n\n[lints]\n"),
            format!("[dev-dependencies]\na = \"1\"\n{line}# why\nz = \"1\"\n\n[lints]\n")
        );
        assert_eq!(
            with("[dev-dependencies]\nz = \"1\"\na = \"1\"\n"),
            format!("[dev-dependencies]\nz = \"1\"\na = \"1\"\n{line}")
        );
        assert_eq!(
            with("[package]\nname = \"a\"\n"),
            format!("[package]\nname = \"a\"\n\n[dev-dependencies]\n{line}")
        );
    }

    #[test]
    fn features_that_are_there_by_default_are_not_listed() {
        let value = |features: &[&str]| {
            let dependency = Dependency::green_light(features, None, Path::new("none"));
            dependency.unwrap().value.to_string()
        };
        let version = version();
        assert_eq!(
            value(&["macros", "sea-orm", "sqlite"]),
            format!("\"{version}\"")
        );
        assert_eq!(
            value(&["macros", "sea-orm", "sea-orm-migration", "sqlite"]),
            format!("{{ version = \"{version}\", features = [\"sea-orm-migration\"] }}")
        );
        let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.toml");
        let manifest: DocumentMut = fs::read_to_string(manifest).unwrap().parse().unwrap();
        let default = manifest["features"]["default"].as_array().unwrap();
        let default: Vec<_> = default.iter().filter_map(Value::as_str).collect();
        assert_eq!(default, DEFAULT_FEATURES);
    }

    #[test]
    fn a_path_goes_up_and_down() {
        let relative = |from, to| relative(Path::new(from), Path::new(to));
        assert_eq!(
            relative("/w/shop", "/w/migration"),
            Path::new("../migration")
        );
        assert_eq!(
            relative("/w", "/w/crates/migration"),
            Path::new("crates/migration")
        );
    }
}
