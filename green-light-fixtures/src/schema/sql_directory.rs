//! The SQL files of a directory: which of them are run, and in what order.
//!
//! The layouts of many tools are read: numbered files (sqlx, golang-migrate, atlas, dbmate, goose),
//! `V1__name.sql` (refinery, Flyway), and a directory for each migration with an `up.sql` (Diesel) or a
//! `migration.sql` (Prisma). What would be run in another way by its tool is refused.

use std::{
    fmt, fs, io,
    path::{Path, PathBuf},
};

use crate::database_pool::{BoxFuture, DatabasePool};
use crate::error::{Error, Kind};
use crate::schema::new_database::NewDatabase;
use crate::schema::sql_files::Script;
use crate::schema::step::Step;
use crate::schema::up_section::up_section;

/// The file of a migration that has a directory of its own.
const OF_DIRECTORIES: [&str; 2] = ["up.sql", "migration.sql"];
/// What is said of a directory that is not understood.
const LAYOUTS: &str = "`Schema::sql_dir` reads `1_name.sql` and `1_name.up.sql` in the order of their \
     numbers, `V1__name.sql`, and directories `1_name/` with an `up.sql` or a `migration.sql` in them; \
     `Schema::scripts` reads files that you list";
/// How many names are listed.
const LISTED: usize = 8;

/// The SQL files of a directory, or files that were listed, read when the schema was made.
pub(crate) struct SqlFiles {
    /// How errors call it.
    name: String,
    files: Result<Vec<Script>, Unread>,
}

/// Why there are no files.
#[derive(Debug)]
struct Unread {
    why: String,
    help: &'static str,
}

impl From<io::Error> for Unread {
    fn from(error: io::Error) -> Self {
        Self {
            why: error.to_string(),
            help: "a path begins at the directory of the package's `Cargo.toml`; \
                   `concat!(env!(\"CARGO_MANIFEST_DIR\"), \"/schema\")` does so wherever the test runs",
        }
    }
}

impl SqlFiles {
    pub(crate) fn of_directory(path: &Path) -> Self {
        Self {
            name: format!("`{}` of `Schema::sql_dir`", path.display()),
            files: read_directory(path),
        }
    }

    pub(crate) fn listed(paths: &[PathBuf]) -> Self {
        let read = |path: &PathBuf| read_file(path).map_err(Unread::from);
        Self {
            name: "`Schema::scripts`".to_owned(),
            files: paths.iter().map(read).collect(),
        }
    }

    async fn run(&self, db: &DatabasePool) -> Result<(), Error> {
        let files = self.files.as_ref().map_err(|unread| {
            Error::new(Kind::Schema, format!("{}: {}", self.name, unread.why)).help(unread.help)
        })?;
        for file in files {
            file.run(db).await?;
        }
        Ok(())
    }
}

impl Step for SqlFiles {
    fn apply<'a>(&'a self, new: &'a NewDatabase) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(self.run(new.pool()))
    }

    fn identity(&self) -> String {
        let mut identity = "files".to_owned();
        for file in self.files.iter().flatten() {
            identity += &format!("\n{}\n{}", file.sql.len(), file.sql);
        }
        identity
    }
}

impl fmt::Debug for SqlFiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "files of {}", self.name)
    }
}

fn read_directory(directory: &Path) -> Result<Vec<Script>, Unread> {
    let mut entries = Vec::new();
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        entries.push((name.into_owned(), path));
    }
    // So that errors do not depend on the file system.
    entries.sort();
    let not_understood = |why: String| Unread { why, help: LAYOUTS };
    let mut found = Vec::new();
    for (name, path) in &entries {
        let refused = |why| not_understood(format!("`{name}` {why}"));
        if let Some(file) = file_to_run(name, path).map_err(refused)? {
            found.push((Order::of(name), name, file));
        }
    }
    if found.is_empty() {
        let shown = entries.iter().take(LISTED);
        let names: Vec<_> = shown.map(|(name, _)| format!("`{name}`")).collect();
        let more = if entries.len() > LISTED { ", .." } else { "" };
        return Err(not_understood(match &*names.join(", ") {
            "" => "there is no `.sql` file in it: it is empty".to_owned(),
            names => format!("there is no `.sql` file in it that goes up, but {names}{more}"),
        }));
    }
    // An undo of Flyway has the number of what it undoes; what refinery calls unversioned has its own.
    let versions: Vec<_> = found
        .iter()
        .filter(|(order, ..)| order.kind == Prefix::Versioned)
        .map(|(order, ..)| order.version.clone())
        .collect();
    found.retain(|(order, ..)| order.kind != Prefix::Undo || !versions.contains(&order.version));
    found.sort();
    found
        .into_iter()
        .map(|(_, _, path)| {
            let mut text = read_file(&path)?;
            let section = up_section(&text.sql);
            let refused = |why| not_understood(format!("`{}` {why}", text.name));
            if let Some(section) = section.map_err(refused)? {
                text.sql = section;
            }
            Ok(text)
        })
        .collect()
}

fn read_file(path: &Path) -> io::Result<Script> {
    let name = path.display().to_string();
    match fs::read_to_string(path) {
        Ok(sql) => Ok(Script { name, sql }),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => Err(io::Error::other(format!(
            "`{name}` is not UTF-8; a dump with binary columns is with `--hex-blob`"
        ))),
        Err(error) => Err(io::Error::other(format!("cannot read `{name}`: {error}"))),
    }
}

/// The file that is run for an entry of the directory, if one is.
///
/// # Errors
///
/// Why the entry is refused.
fn file_to_run(name: &str, path: &Path) -> Result<Option<PathBuf>, &'static str> {
    let lower = name.to_ascii_lowercase();
    let is_sql = lower.ends_with(".sql");
    if path.is_dir() {
        let mut files = OF_DIRECTORIES.iter().map(|file| path.join(file));
        let file = files.find(|file| file.is_file());
        // To read a directory with the name of a file is an error that says so.
        return Ok(file.or_else(|| is_sql.then(|| path.to_owned())));
    }
    if lower.ends_with(".rs") && Order::of(name).kind != Prefix::None {
        return Err(
            "is a migration of refinery in Rust, which is not a text: run all of them by refinery, in \
             `Schema::run`",
        );
    }
    if !is_sql || lower.ends_with(".down.sql") || lower == "down.sql" {
        return Ok(None);
    }
    let number = name.strip_prefix('B').unwrap_or_default();
    if number.starts_with(|c: char| c.is_ascii_digit()) && name.contains("__") {
        return Err(
            "is a baseline of Flyway, which stands for all migrations before it: give it alone by \
             `Schema::scripts`, and what comes after it",
        );
    }
    Ok(Some(path.to_owned()))
}

/// When a file is run: files without a number before those with one, repeatable ones last.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Order {
    is_repeatable: bool,
    version: Vec<u64>,
    /// For equal numbers, which undo the others and so are left out.
    kind: Prefix,
}

/// What stands before the number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Prefix {
    None,
    Versioned,
    Undo,
    Repeatable,
}

impl Order {
    fn of(name: &str) -> Self {
        let after = |prefix: char| {
            let rest = name.strip_prefix([prefix, prefix.to_ascii_lowercase()])?;
            rest.starts_with(|c: char| c.is_ascii_digit())
                .then_some(rest)
        };
        let (kind, rest) = match (after('V'), after('U')) {
            (Some(rest), _) => (Prefix::Versioned, rest),
            (_, Some(rest)) => (Prefix::Undo, rest),
            _ if name.starts_with("R__") => (Prefix::Repeatable, ""),
            _ => (Prefix::None, name),
        };
        Self {
            is_repeatable: kind == Prefix::Repeatable,
            version: version(rest, kind == Prefix::None),
            kind,
        }
    }
}

/// The numbers with which `name` begins: one, or those of `2024-01-31-120000` and of `1.2`.
fn version(name: &str, is_plain: bool) -> Vec<u64> {
    let mut numbers = Vec::new();
    let mut rest = name;
    loop {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        // No tool counts so far; such a name is compared as text.
        let Ok(number) = rest[..digits].parse() else {
            return numbers;
        };
        numbers.push(number);
        rest = &rest[digits..];
        rest = match rest.strip_prefix(['-', '.']) {
            Some(next) => next,
            // `V1_1__name`; of `1_1984.sql`, the second is the name.
            None if !is_plain && rest.starts_with('_') && !rest.starts_with("__") => &rest[1..],
            None => return numbers,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The names of `files`, put into a directory, in the order in which they run.
    fn order(files: &[&str]) -> Result<Vec<String>, String> {
        let directory = tempfile::tempdir().unwrap();
        for name in files {
            let path = directory.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, name).unwrap();
        }
        let texts = SqlFiles::of_directory(directory.path()).files;
        match texts {
            Ok(texts) => Ok(texts.into_iter().map(|text| text.sql).collect()),
            Err(unread) => Err(format!("{}\n{}", unread.why, unread.help)),
        }
    }

    #[test]
    fn what_goes_up_runs_in_the_order_of_the_numbers() {
        for (found, run) in [
            // What has no number is older than numbers.
            (
                &[
                    "10_c.sql",
                    "9_b.sql",
                    "0001_a.sql",
                    "9_b.down.sql",
                    "notes.md",
                    "z.sql",
                ][..],
                &["z.sql", "0001_a.sql", "9_b.sql", "10_c.sql"][..],
            ),
            (
                &[
                    "20240101120000_b.up.sql",
                    "20240101120000_b.down.sql",
                    "2_a.up.sql",
                ],
                &["2_a.up.sql", "20240101120000_b.up.sql"],
            ),
            // refinery, with a migration that has no place in the order of versions.
            (
                &["V10__c.sql", "V1__a.sql", "V9__b.sql", "U11__d.sql"],
                &["V1__a.sql", "V9__b.sql", "V10__c.sql", "U11__d.sql"],
            ),
            // Flyway, with an undo.
            (
                &[
                    "V1_10__c.sql",
                    "V1__a.sql",
                    "U1__a.sql",
                    "V1.2__b.sql",
                    "V2__d.sql",
                    "R__a.sql",
                ],
                &[
                    "V1__a.sql",
                    "V1.2__b.sql",
                    "V1_10__c.sql",
                    "V2__d.sql",
                    "R__a.sql",
                ],
            ),
            // Diesel.
            (
                &[
                    "2024-01-10-000000_b/up.sql",
                    "2024-01-10-000000_b/down.sql",
                    "00000000000000_diesel_initial_setup/up.sql",
                    "2024-01-02-000000_a/up.sql",
                    "2024-01-10-000001_c/up.sql",
                    ".keep",
                ],
                &[
                    "00000000000000_diesel_initial_setup/up.sql",
                    "2024-01-02-000000_a/up.sql",
                    "2024-01-10-000000_b/up.sql",
                    "2024-01-10-000001_c/up.sql",
                ],
            ),
            // Prisma.
            (
                &[
                    "migration_lock.toml",
                    "20240102_b/migration.sql",
                    "20240101_a/migration.sql",
                ],
                &["20240101_a/migration.sql", "20240102_b/migration.sql"],
            ),
        ] {
            assert_eq!(order(found).unwrap(), run);
        }
    }

    #[test]
    fn what_is_not_understood_is_listed_beside_what_is() {
        for (found, said) in [
            (
                &["m1_users.rs", "mod.rs"][..],
                "but `m1_users.rs`, `mod.rs`",
            ),
            (&["one/a.sql", "two/b.sql"], "but `one`, `two`"),
            (&["1_a.down.sql"], "but `1_a.down.sql`"),
            (
                &["V1__a.rs", "V2__b.sql"],
                "`V1__a.rs` is a migration of refinery in Rust",
            ),
            (
                &["B5__base.sql", "V6__b.sql"],
                "`B5__base.sql` is a baseline of Flyway",
            ),
        ] {
            let text = order(found).unwrap_err();
            assert!(text.contains(said), "{text}");
            assert!(text.contains("`V1__name.sql`, and directories"), "{text}");
        }
        assert!(order(&[]).unwrap_err().contains("it is empty"));
    }

    #[test]
    fn of_a_text_with_both_ways_only_one_is_run() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("1_a.sql");
        fs::write(
            &file,
            "-- migrate:up\nSELECT 1;\n-- migrate:down\nSELECT 2;",
        )
        .unwrap();
        let files = SqlFiles::of_directory(directory.path()).files.unwrap();
        assert_eq!(files[0].sql, "-- migrate:up\nSELECT 1;\n\n");
        fs::write(&file, "-- migrate:down\nSELECT 2;").unwrap();
        let unread = SqlFiles::of_directory(directory.path()).files.unwrap_err();
        assert!(
            unread
                .why
                .contains("1_a.sql` has `-- migrate:down` of dbmate"),
            "{unread:?}"
        );
    }

    #[test]
    fn every_byte_counts() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("1.sql");
        let identity = || SqlFiles::of_directory(directory.path()).identity();
        fs::write(&file, "SELECT 1").unwrap();
        let before = identity();
        fs::write(&file, "SELECT 2").unwrap();
        assert_ne!(identity(), before);
        fs::write(&file, "SELECT 1").unwrap();
        assert_eq!(identity(), before);
    }
}
