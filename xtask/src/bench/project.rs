//! The sources of `benches/`, rendered into a project of their own and built.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::binary::Binary;
use crate::build;

/// What a source says above the part of it that is repeated.
const MARK: &str = "// Repeated.\n";

/// How many migrations there are in each directory of migrations.
pub(crate) const MIGRATIONS: [usize; 3] = [10, 50, 100];
/// Programs that tests on databases need, besides the tests.
const PROGRAMS: [&str; 2] = ["database/hand_out", "database/servers"];

/// A source of `benches/` and how often its test is repeated.
#[derive(Clone, Copy)]
pub(crate) struct Source {
    /// Below `benches/`, without `.rs`; `/` becomes `_` in the name of the target.
    path: &'static str,
    tests: u32,
}

impl Source {
    pub(crate) const fn new(path: &'static str, tests: u32) -> Self {
        Self { path, tests }
    }

    /// The name of its test target.
    pub(crate) fn name(&self) -> String {
        format!("{}_{}", target(self.path), self.tests)
    }

    /// Its text, the test after the mark said `tests` times with names of its own.
    fn render(&self, benches: &Path) -> Result<String, String> {
        let path = benches.join(format!("{}.rs", self.path));
        let text =
            fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        let (head, test) = text
            .split_once(MARK)
            .ok_or_else(|| format!("{} has no line `{}`", path.display(), MARK.trim_end()))?;
        let tests = (0..self.tests).map(|number| test.replace("_0(", &format!("_{number}(")));
        Ok(std::iter::once(head.to_owned()).chain(tests).collect())
    }
}

/// The project below the target directory.
pub(crate) struct Project {
    pub(crate) directory: PathBuf,
    binaries: HashMap<String, PathBuf>,
}

impl Project {
    /// Renders `sources` and builds them, optimised.
    ///
    /// # Errors
    ///
    /// If a file cannot be read or written, or the project does not build.
    pub(crate) fn build(root: &Path, sources: &[Source]) -> Result<Self, String> {
        let directory = root.join("target/bench");
        let tests = directory.join("tests");
        let _ = fs::remove_dir_all(&tests);
        fs::create_dir_all(&tests).map_err(|error| format!("{}: {error}", tests.display()))?;
        migrations(&root.join("benches/database/migrations"), &directory)?;
        write(&directory.join("Cargo.toml"), &manifest(root))?;
        let clock = root.join("benches/clock.rs");
        fs::copy(&clock, directory.join("lib.rs"))
            .map_err(|error| format!("{}: {error}", clock.display()))?;
        let lock = root.join("Cargo.lock");
        fs::copy(&lock, directory.join("Cargo.lock"))
            .map_err(|error| format!("{}: {error}", lock.display()))?;
        for source in sources {
            let text = source.render(&root.join("benches"))?;
            write(&tests.join(format!("{}.rs", source.name())), &text)?;
        }
        let programs = directory.join("src/bin");
        fs::create_dir_all(&programs)
            .map_err(|error| format!("{}: {error}", programs.display()))?;
        for program in PROGRAMS {
            let from = root.join(format!("benches/{program}.rs"));
            let to = programs.join(format!("{}.rs", target(program)));
            fs::copy(&from, to).map_err(|error| format!("{}: {error}", from.display()))?;
        }
        println!(
            "building {} binaries in {}",
            sources.len(),
            directory.display()
        );
        let binaries = build::tests(&directory, &["--release"])?;
        Ok(Self {
            directory,
            binaries,
        })
    }

    /// The binaries of sources.
    ///
    /// # Errors
    ///
    /// If a source is none of those that were built.
    pub(crate) fn binaries<const N: usize>(
        &self,
        sources: &[Source; N],
    ) -> Result<[Binary; N], String> {
        let found: Result<Vec<_>, _> = sources.iter().map(|source| self.binary(source)).collect();
        <[Binary; N]>::try_from(found?).map_err(|_| "a source was lost".to_owned())
    }

    /// The binary of a source.
    ///
    /// # Errors
    ///
    /// As [`binaries`](Self::binaries).
    pub(crate) fn binary(&self, source: &Source) -> Result<Binary, String> {
        let path = self.program(&source.name())?;
        Ok(Binary::new(source.name(), path, source.tests))
    }

    /// Where a test binary or program is.
    ///
    /// # Errors
    ///
    /// If it is none of those that were built.
    pub(crate) fn program(&self, name: &str) -> Result<PathBuf, String> {
        let path = self.binaries.get(name).cloned();
        path.ok_or_else(|| format!("`{name}` was not built"))
    }

    /// The directory that holds so many migrations.
    pub(crate) fn migrations(&self, count: usize) -> String {
        let directory = self.directory.join(directory_of(count));
        directory.display().to_string()
    }
}

/// Versions are those of the lock file, which is green-light's.
fn manifest(root: &Path) -> String {
    let programs = PROGRAMS.map(|program| {
        let name = target(program);
        format!("[[bin]]\nname = {name:?}\npath = \"src/bin/{name}.rs\"\ntest = false\n\n")
    });
    let programs = programs.concat();
    format!(
        "[package]\nname = \"bench\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n\
         [lib]\npath = \"lib.rs\"\n\n\
         {programs}[dependencies]\n\
         green-light = {{ path = {:?}, features = [\"mysql\", \"postgres\"] }}\n\
         rstest = \"*\"\n\
         sea-orm = {{ version = \"*\", default-features = false }}\n\
         sqlx = {{ version = \"*\", default-features = false, features = [\"macros\", \"migrate\", \"mysql\", \"postgres\", \"runtime-tokio\", \"sqlite\"] }}\n\
         tokio = {{ version = \"*\", features = [\"macros\", \"rt-multi-thread\", \"time\"] }}\n\n\
         [profile.dev]\ndebug = \"line-tables-only\"\n\n[workspace]\n",
        root.display().to_string()
    )
}

/// The name of the target of a source.
fn target(path: &str) -> String {
    path.replace('/', "_")
}

/// The directory of so many migrations. `#[sqlx::test]` finds those of the first.
fn directory_of(count: usize) -> String {
    if count == MIGRATIONS[0] {
        "migrations".to_owned()
    } else {
        format!("migrations_{count}")
    }
}

/// Writes each directory of migrations: those of `from`, and as many more as are asked for.
fn migrations(from: &Path, directory: &Path) -> Result<(), String> {
    for count in MIGRATIONS {
        let to = directory.join(directory_of(count));
        let told = |error: std::io::Error| format!("{}: {error}", to.display());
        let _ = fs::remove_dir_all(&to);
        fs::create_dir_all(&to).map_err(told)?;
        for entry in fs::read_dir(from).map_err(|error| format!("{}: {error}", from.display()))? {
            let entry = entry.map_err(told)?;
            fs::copy(entry.path(), to.join(entry.file_name())).map_err(told)?;
        }
        for number in MIGRATIONS[0] + 1..=count {
            let text = format!(
                "CREATE TABLE more_{number} (id INTEGER PRIMARY KEY, name VARCHAR(100) NOT NULL);\n\
                 CREATE INDEX more_{number}_by_name ON more_{number} (name);\n"
            );
            write(&to.join(format!("{number:04}_more.sql")), &text)?;
        }
    }
    Ok(())
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))
}
