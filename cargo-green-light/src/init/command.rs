//! What `cargo green-light init` does.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use cargo_metadata::Package;

use crate::arguments::{InitOptions, ProjectOptions};
use crate::error::Error;
use crate::init::change::Change;
use crate::init::database::{self, Database};
use crate::init::manifest::{self, Dependency};
use crate::init::member;
use crate::init::tables::{self, Tables};
use crate::init::test_file;
use crate::print::{FAINT, GOOD, STRONG};
use crate::project::{self, Project};

/// How the override of the schema is written, in whichever file.
const OVERRIDE: &str = "green_light::fixtures::schema";
/// What the file of the first test may be called.
const NAMES: [&str; 2] = ["database", "green_light"];

/// Looks at a package, writes what its tests need, and runs them.
///
/// # Errors
///
/// When nothing can be written that would work, with what is missing.
pub(crate) fn run(options: &InitOptions, project: &ProjectOptions) -> Result<ExitCode, Error> {
    let project = Project::find(project)?;
    let package = member::choose(&project)?;
    let directory = directory(package);
    anstream::println!(
        "{STRONG}{}{STRONG:#} in {}",
        package.name,
        directory.display()
    );
    if let Some((file, line)) = initialised(&project, package) {
        anstream::println!(
            "  {GOOD}ready{GOOD:#}    `{}`, line {line}, says what the database of a test holds; nothing is to be done",
            shown(&file)
        );
        return Ok(ExitCode::SUCCESS);
    }
    member::check_versions(package)?;
    let tables = tables::find(&project, package, options.from.as_deref())?;
    let database = database::choose(&project, package, &tables, options.backend)?;
    anstream::println!("  {GOOD}found{GOOD:#}    {}", tables.words());
    anstream::println!("  {GOOD}database{GOOD:#} {}", database.words());
    let uses_sea_orm = member::depends_on(package, "sea-orm");
    let features = features(&tables, &database, uses_sea_orm);
    let file = new_file(directory)?;
    let names_backend = member::has_other_databases(&project, database.backend);
    let text = test_file::text(package, &tables, database.backend, names_backend);
    let target = Target {
        project: &project,
        package,
        file: &file,
    };
    let changes = target.changes(options, &tables, &features, text)?;
    if options.dry_run {
        for change in &changes {
            change.print(&project.root);
        }
        anstream::println!("{FAINT}nothing is written, because of `--dry-run`{FAINT:#}");
        return Ok(ExitCode::SUCCESS);
    }
    for change in &changes {
        change.write()?;
        anstream::println!(
            "  {GOOD}{:8}{GOOD:#} {}",
            change.verb(),
            change.words(&project.root)
        );
    }
    let name = file.file_stem().unwrap_or_default().to_string_lossy();
    if options.no_run {
        anstream::println!(
            "run it: `cargo test --package {} --test {name}`",
            package.name
        );
        return Ok(ExitCode::SUCCESS);
    }
    run_test(&project, package, &name)
}

fn directory(package: &Package) -> &Path {
    let directory = package.manifest_path.parent();
    directory.map_or(Path::new("."), |directory| directory.as_std_path())
}

/// A path as the user would write it here.
fn shown(path: &Path) -> String {
    let here = std::env::current_dir().unwrap_or_default();
    path.strip_prefix(here)
        .unwrap_or(path)
        .display()
        .to_string()
}

/// Where the schema is said already: by the package, or by another one that it depends on.
fn initialised(project: &Project, package: &Package) -> Option<(PathBuf, usize)> {
    let others = project
        .members
        .iter()
        .filter(|other| other.id == package.id || member::depends_on(package, &other.name));
    let mut files = Vec::new();
    for other in others {
        for part in ["src", "tests", "benches", "examples"] {
            rust_files(&directory(other).join(part), &mut files);
        }
    }
    files.sort();
    files.into_iter().find_map(|file| {
        let text = fs::read_to_string(&file).ok()?;
        let line = text.lines().position(|line| line.contains(OVERRIDE))?;
        Some((file, line + 1))
    })
}

fn rust_files(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let path = entry.path();
        match path.is_dir() {
            true => rust_files(&path, found),
            false if path.extension().is_some_and(|end| end == "rs") => found.push(path),
            false => {}
        }
    }
}

/// The features of green-light that the test needs.
fn features(tables: &Tables, database: &Database, uses_sea_orm: bool) -> Vec<&'static str> {
    let mut features = vec!["macros"];
    if uses_sea_orm {
        features.push("sea-orm");
    }
    features.extend(tables.feature());
    features.push(database.feature());
    features
}

/// A file that is not there yet.
fn new_file(directory: &Path) -> Result<PathBuf, Error> {
    let files = NAMES.map(|name| directory.join("tests").join(format!("{name}.rs")));
    let is_free = |file: &&PathBuf| !file.exists() && !file.with_extension("").exists();
    files.iter().find(is_free).cloned().ok_or_else(|| {
        Error::new(format!(
            "`{}` and `{}` are there already, and neither says what a database holds",
            shown(&files[0]),
            shown(&files[1])
        ))
        .help("rename one of them; `init` writes over no file")
    })
}

/// Where the test goes.
struct Target<'a> {
    project: &'a Project,
    package: &'a Package,
    file: &'a Path,
}

impl Target<'_> {
    /// What is to be written, the manifest first.
    fn changes(
        &self,
        options: &InitOptions,
        tables: &Tables,
        features: &[&'static str],
        text: String,
    ) -> Result<Vec<Change>, Error> {
        let mut dependencies = Vec::new();
        if let Some(holder) = tables.missing_dependency(self.package) {
            dependencies.push(Dependency::of_the_workspace(
                holder,
                directory(self.package),
            ));
        }
        if member::depends_on(self.package, "green-light") {
            member::check_features(self.package, features)?;
        } else {
            let (path, root) = (options.path.as_deref(), &self.project.root);
            dependencies.push(Dependency::green_light(features, path, root)?);
        }
        let name = self.file.file_stem().unwrap_or_default().to_string_lossy();
        let manifest = self.package.manifest_path.as_std_path();
        let mut changes = Vec::from_iter(manifest::changed(manifest, &dependencies, &name)?);
        changes.push(Change::new_file(self.file.to_owned(), text));
        Ok(changes)
    }
}

/// Runs the new test. How it ended.
fn run_test(project: &Project, package: &Package, name: &str) -> Result<ExitCode, Error> {
    let mut command = project.cargo(&["test"]);
    if project.packages.is_empty() {
        command.args(["--package", &package.name]);
    }
    command.args(["--test", name]);
    let typed = project::shown(&command);
    anstream::println!("\nrunning `{typed}`");
    let status = command.status().map_err(|error| {
        Error::new(format!("`{typed}` cannot be run: {error}"))
            .help("install cargo, and let `PATH` name its directory")
    })?;
    if !status.success() {
        return Err(Error::new(format!(
            "what `init` has written is there, but `{typed}` failed: {status}"
        ))
        .help("its output above says why; `cargo green-light doctor` looks for what keeps tests from running"));
    }
    anstream::println!(
        "{GOOD}Your first test passes.{GOOD:#} Next: call your own code in it, and read \
         https://green-light-rs.github.io/green-light/fixtures.html"
    );
    Ok(ExitCode::SUCCESS)
}
