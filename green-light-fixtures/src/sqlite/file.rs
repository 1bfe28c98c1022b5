//! A SQLite database in a file that several connections use: a write-ahead log, no sync to the disk.
//!
//! Readers do not wait for a writer and a second writer waits for the first, as in production. The
//! journal is remembered in the file, so a pool that the application opens itself has it too.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};

use crate::database_pool::DatabasePool;
use crate::error::{Error, Kind};
use crate::files::temp_dir::{Directory, default_base};
use crate::limits::{SESSION_CONNECTIONS, Timeouts};
use crate::url::DatabaseUrl;

/// The files of one database, removed when dropped.
#[derive(Debug)]
pub(crate) struct DatabaseFile {
    path: PathBuf,
    /// Outlives the files in it.
    _directory: Arc<Directory>,
}

impl DatabaseFile {
    pub(crate) fn write(
        directory: &Arc<Directory>,
        name: &str,
        image: &[u8],
    ) -> Result<Self, Error> {
        Ok(Self {
            path: directory.write_to_stay(name, image)?,
            _directory: Arc::clone(directory),
        })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn url(&self) -> DatabaseUrl {
        DatabaseUrl::of_file(&self.path)
    }
}

impl DatabaseFile {
    /// Moves the database to where those of failed tests are kept, and returns its new place.
    ///
    /// Its pool has been closed, so what was in the write-ahead log is in the file.
    pub(crate) fn keep(self, test: &str, at_most: usize) -> Result<DatabaseUrl, Error> {
        let place = default_base().join("kept");
        let refused = |error: std::io::Error| {
            Error::new(
                Kind::Directory,
                format!("cannot keep a database in `{}`", place.display()),
            )
            .help("make room or give write permission there, or unset `GREEN_LIGHT_KEEP`")
            .because(error)
        };
        fs::create_dir_all(&place).map_err(refused)?;
        let name: String = test
            .chars()
            .map(|c| if c.is_alphanumeric() { c } else { '_' })
            .collect();
        let since = std::time::UNIX_EPOCH.elapsed().unwrap_or_default();
        let path = place.join(format!("{name}-{}.sqlite", since.as_micros()));
        for suffix in ["", "-wal"] {
            match fs::copy(beside(&self.path, suffix), beside(&path, suffix)) {
                Err(error) if suffix.is_empty() => return Err(refused(error)),
                _ => {}
            }
        }
        let mut kept: Vec<_> = fs::read_dir(&place)
            .map_err(refused)?
            .flatten()
            .filter(|entry| entry.path().extension().is_some_and(|e| e == "sqlite"))
            .filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path())))
            .collect();
        kept.sort();
        for (_, old) in kept.iter().rev().skip(at_most) {
            // Another process may have removed it.
            let _ = fs::remove_file(old);
            let _ = fs::remove_file(beside(old, "-wal"));
        }
        Ok(DatabaseUrl::of_file(&path))
    }
}

/// The file that SQLite puts beside `path`.
fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut path = path.to_owned().into_os_string();
    path.push(suffix);
    path.into()
}

impl Drop for DatabaseFile {
    fn drop(&mut self) {
        for suffix in ["", "-wal", "-shm", "-journal"] {
            // Whatever cannot be removed goes with the directory.
            let _ = fs::remove_file(beside(&self.path, suffix));
        }
    }
}

/// How any connection to `path` is opened.
pub(crate) fn options(base: &SqliteConnectOptions, path: &Path) -> SqliteConnectOptions {
    base.clone()
        .filename(path)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Off)
}

/// Opens a pool for one test.
pub(crate) async fn open(
    base: &SqliteConnectOptions,
    file: &DatabaseFile,
    waits: Timeouts,
) -> Result<DatabasePool, Error> {
    let pool = SqlitePoolOptions::new()
        .max_connections(SESSION_CONNECTIONS)
        .acquire_timeout(waits.connection)
        .connect_with(options(base, file.path()))
        .await
        .map_err(|error| {
            Error::new(
                Kind::Connection,
                "SQLite could not open a database in a file",
            )
            .help("look at the cause; a full disk is the usual one")
            .because(error)
        })?;
    Ok(DatabasePool::new(pool))
}
