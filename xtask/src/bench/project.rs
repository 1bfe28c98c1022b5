//! The sources of `benches/`, rendered into a project of their own and built.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::binary::Binary;
use crate::build;

/// What a source says above the part of it that is repeated.
const MARK: &str = "// Repeated.\n";

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
        format!("{}_{}", self.path.replace('/', "_"), self.tests)
    }

    /// Its text, the test after the mark said `tests` times with names of its own.
    fn render(&self, benches: &Path) -> Result<String, String> {
        let path = benches.join(format!("{}.rs", self.path));
        let text =
            fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        let (head, test) = text
            .split_once(MARK)
            .ok_or_else(|| format!("{} has no line `{}`", path.display(), MARK.trim_end()))?;
        let tests = (0..self.tests).map(|number| test.replace("test_0", &format!("test_{number}")));
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
        copy(
            &root.join("benches/database/migrations"),
            &directory.join("migrations"),
        )?;
        write(&directory.join("Cargo.toml"), &manifest(root))?;
        write(&directory.join("lib.rs"), "")?;
        let lock = root.join("Cargo.lock");
        fs::copy(&lock, directory.join("Cargo.lock"))
            .map_err(|error| format!("{}: {error}", lock.display()))?;
        for source in sources {
            let text = source.render(&root.join("benches"))?;
            write(&tests.join(format!("{}.rs", source.name())), &text)?;
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

    fn binary(&self, source: &Source) -> Result<Binary, String> {
        let name = source.name();
        let path = self.binaries.get(&name).cloned();
        Ok(Binary {
            path: path.ok_or_else(|| format!("`{name}` was not built"))?,
            name,
            tests: source.tests,
            environment: Vec::new(),
        })
    }
}

/// Versions are those of the lock file, which is green-light's.
fn manifest(root: &Path) -> String {
    format!(
        "[package]\nname = \"bench\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n\
         [lib]\npath = \"lib.rs\"\n\n\
         [dev-dependencies]\n\
         green-light = {{ path = {:?} }}\n\
         rstest = \"*\"\n\
         sea-orm = {{ version = \"*\", default-features = false }}\n\
         sqlx = {{ version = \"*\", default-features = false, features = [\"macros\", \"migrate\", \"runtime-tokio\", \"sqlite\"] }}\n\
         tokio = {{ version = \"*\", features = [\"macros\", \"rt-multi-thread\"] }}\n\n\
         [profile.dev]\ndebug = \"line-tables-only\"\n\n[workspace]\n",
        root.display().to_string()
    )
}

fn copy(from: &Path, to: &Path) -> Result<(), String> {
    let told = |error: std::io::Error| format!("{}: {error}", to.display());
    let _ = fs::remove_dir_all(to);
    fs::create_dir_all(to).map_err(told)?;
    for entry in fs::read_dir(from).map_err(|error| format!("{}: {error}", from.display()))? {
        let entry = entry.map_err(told)?;
        fs::copy(entry.path(), to.join(entry.file_name())).map_err(told)?;
    }
    Ok(())
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))
}
