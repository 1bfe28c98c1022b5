//! Steps that are SQL text: given as it is, or in the files of a directory.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use super::{
    session::Session,
    statements::{Statement, statements},
    step::failed,
};
use crate::{
    backend::DriverPool,
    error::{Error, Kind},
};

/// A text and how errors call it.
#[derive(Clone, Debug)]
pub(super) struct Text {
    pub(super) name: String,
    pub(super) sql: String,
}

/// The SQL files of a directory, read when the schema was made.
#[derive(Debug)]
pub(super) struct Directory {
    pub(super) path: PathBuf,
    pub(super) files: io::Result<Vec<Text>>,
}

impl Directory {
    pub(super) fn read(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            files: read(path),
        }
    }

    pub(super) async fn run(&self, db: &DriverPool) -> Result<(), Error> {
        let files = self.files.as_ref().map_err(|error| {
            Error::new(
                Kind::Schema,
                format!("`{}` of `Schema::sql_dir`: {error}", self.path.display()),
            )
            .help(
                "a path begins at the directory of the package's `Cargo.toml`; \
                 `concat!(env!(\"CARGO_MANIFEST_DIR\"), \"/schema\")` does so wherever the test runs",
            )
        })?;
        for file in files {
            file.run(db).await?;
        }
        Ok(())
    }

    /// What tells it from another one.
    pub(super) fn identity(&self) -> String {
        let mut identity = format!("files {}", self.path.display());
        for file in self.files.iter().flatten() {
            identity += &format!("\n{} {}\n{}", file.name, file.sql.len(), file.sql);
        }
        identity
    }
}

fn read(directory: &Path) -> io::Result<Vec<Text>> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.ends_with(".sql") && !name.ends_with(".down.sql") {
            paths.push(path);
        }
    }
    if paths.is_empty() {
        return Err(io::Error::other("there is no `.sql` file in it"));
    }
    paths.sort_by_cached_key(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let digits = name.chars().take_while(char::is_ascii_digit).count();
        (name[..digits].parse::<u64>().ok(), name.into_owned())
    });
    let read = |path: PathBuf| {
        let name = path.display().to_string();
        match fs::read_to_string(&path) {
            Ok(sql) => Ok(Text { name, sql }),
            Err(error) if error.kind() == io::ErrorKind::InvalidData => Err(io::Error::other(
                format!("`{name}` is not UTF-8; a dump with binary columns is with `--hex-blob`"),
            )),
            Err(error) => Err(io::Error::other(format!("cannot read `{name}`: {error}"))),
        }
    };
    paths.into_iter().map(read).collect()
}

impl Text {
    /// Runs its statements one after the other, all on one connection.
    ///
    /// A dump sets its session to its liking, so what runs later gets a connection that is new.
    pub(super) async fn run(&self, db: &DriverPool) -> Result<(), Error> {
        let name = &self.name;
        let dialect = db.backend().unwrap_or_default();
        let all = statements(&self.sql, dialect).map_err(|refused| {
            let (text, line, fact) = (shorten(&refused.text), refused.line, refused.fact);
            Error::new(
                Kind::Schema,
                format!("`{text}` of `{name}`, on its line {line}, {fact}"),
            )
            .help(refused.help)
        })?;
        let mut session = Session::of(db)
            .await
            .map_err(|error| failed(format!("`{name}` found no connection"), &error))?;
        for (index, statement) in all.iter().enumerate() {
            if let Err(error) = session.run(statement.text).await {
                let number = format!("statement {} of {}", index + 1, all.len());
                return Err(self.failed(&number, statement, &error));
            }
        }
        session
            .end()
            .await
            .map_err(|error| failed(format!("after `{name}` the connection failed"), &error))
    }

    fn failed(&self, number: &str, statement: &Statement<'_>, error: &sqlx::Error) -> Error {
        let what = format!(
            "{number} of `{}`, on its line {}, failed: `{}`",
            self.name,
            statement.line,
            shorten(statement.text),
        );
        let help = match error.to_string() {
            message if message.contains("role \"") && message.contains("does not exist") => {
                "make the role first, or dump with `pg_dump --no-owner --no-privileges`"
            }
            message if message.contains("GTID_PURGED") => {
                "leave it out, or dump with `mysqldump --set-gtid-purged=OFF`"
            }
            message if message.contains("unrecognized configuration parameter") => {
                "leave it out, or dump with the `pg_dump` that belongs to the server"
            }
            _ => "correct the statement; line 1 is the first line of the text",
        };
        failed(what, error).help(help)
    }
}

fn shorten(statement: &str) -> String {
    let line: Vec<_> = statement.split_whitespace().collect();
    crate::sandbox::shorten(&line.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_goes_up_in_the_order_of_the_numbers() {
        let directory = tempfile::tempdir().unwrap();
        for name in [
            "10_c.sql",
            "9_b.sql",
            "0001_a.sql",
            "9_b.down.sql",
            "notes.md",
            "z.sql",
        ] {
            fs::write(directory.path().join(name), name).unwrap();
        }
        let files = read(directory.path()).unwrap();
        let names: Vec<_> = files.iter().map(|file| file.sql.as_str()).collect();
        // What has no number is older than numbers.
        assert_eq!(names, ["z.sql", "0001_a.sql", "9_b.sql", "10_c.sql"]);
    }

    #[test]
    fn every_byte_counts() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("1.sql");
        fs::write(&file, "SELECT 1").unwrap();
        let before = Directory::read(directory.path()).identity();
        fs::write(&file, "SELECT 2").unwrap();
        assert_ne!(Directory::read(directory.path()).identity(), before);
        fs::write(&file, "SELECT 1").unwrap();
        assert_eq!(Directory::read(directory.path()).identity(), before);
    }
}
