//! A SQLite database in a file that several connections use: a write-ahead log, no sync to the disk.
//!
//! Readers do not wait for a writer and a second writer waits for the first, as in production. The
//! journal is remembered in the file, so a pool that the application opens itself has it too.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use sea_orm::{DatabaseConnection, SqlxSqliteConnector};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};

use super::stay::CONNECTIONS;
use crate::{
    directory::Directory,
    error::{Error, Kind},
    sandbox::Waits,
    url::DatabaseUrl,
};

/// The files of one database, removed when dropped.
#[derive(Debug)]
pub(super) struct DatabaseFile {
    path: PathBuf,
    /// Outlives the files in it.
    _directory: Arc<Directory>,
}

impl DatabaseFile {
    pub(super) fn write(
        directory: &Arc<Directory>,
        name: &str,
        image: &[u8],
    ) -> Result<Self, Error> {
        Ok(Self {
            path: directory.put(name, image)?,
            _directory: Arc::clone(directory),
        })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn url(&self) -> DatabaseUrl {
        DatabaseUrl::of_file(&self.path)
    }
}

impl Drop for DatabaseFile {
    fn drop(&mut self) {
        for suffix in ["", "-wal", "-shm", "-journal"] {
            let mut path = self.path.clone().into_os_string();
            path.push(suffix);
            // Whatever cannot be removed goes with the directory.
            let _ = fs::remove_file(path);
        }
    }
}

/// How any connection to `path` is opened.
pub(super) fn options(base: &SqliteConnectOptions, path: &Path) -> SqliteConnectOptions {
    base.clone()
        .filename(path)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Off)
}

/// Opens a pool for one test.
pub(super) async fn open(
    base: &SqliteConnectOptions,
    file: &DatabaseFile,
    waits: Waits,
) -> Result<DatabaseConnection, Error> {
    let pool = SqlitePoolOptions::new()
        .max_connections(CONNECTIONS)
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
    Ok(SqlxSqliteConnector::from_sqlx_sqlite_pool(pool))
}
