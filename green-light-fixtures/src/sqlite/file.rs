//! A SQLite database in a file that several connections use: a write-ahead log, no sync to the disk.
//!
//! Readers do not wait for a writer, and a second writer waits for the first, as in production. The file itself says
//! that it has such a log, so a pool that the application opens uses it, too.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use green_light_core::Mutex;
use sqlx::{
    ConnectOptions as _, Connection as _, Executor as _,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

use crate::database_pool::{BoxFuture, DatabasePool};
use crate::driver::traits::{KeptDatabase, TestDatabase};
use crate::error::{Error, Kind};
use crate::files::base::base;
use crate::limits::{SESSION_CONNECTIONS, Timeouts};
use crate::sqlite::directory::Directory;
use crate::sqlite::process_wide::put_back_process_wide;
use crate::sqlite::restore::restore;
use crate::sqlite::sandbox::Image;
use crate::sqlite::url::url_of_file;
use crate::url::DatabaseUrl;

/// How long the part of a file's name is that names a test.
const LONGEST_NAME: usize = 200;

/// The directory for databases of an engine that need a file: its own, or one that is made when the first needs it.
#[derive(Debug, Default)]
pub(crate) struct FileDirectory(Mutex<Option<Arc<Directory>>>);

impl FileDirectory {
    pub(crate) fn new(directory: Option<Arc<Directory>>) -> Self {
        Self(Mutex::new(directory))
    }

    fn get(&self) -> Result<Arc<Directory>, Error> {
        let mut directory = self.0.lock();
        if let Some(directory) = &*directory {
            return Ok(Arc::clone(directory));
        }
        let created = Arc::new(Directory::create(base()?)?);
        *directory = Some(Arc::clone(&created));
        Ok(created)
    }
}

/// A database in a file of its own, removed when dropped.
#[derive(Debug)]
pub(crate) struct FileDatabase {
    name: String,
    path: PathBuf,
    url: DatabaseUrl,
    image: Image,
    options: SqliteConnectOptions,
    timeouts: Timeouts,
    /// Outlives the files in it.
    directory: Arc<Directory>,
}

impl FileDatabase {
    pub(crate) fn create(
        directory: &FileDirectory,
        image: &Image,
        options: &SqliteConnectOptions,
        timeouts: Timeouts,
    ) -> Result<Self, Error> {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let directory = directory.get()?;
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("database-{number}.sqlite");
        let path = directory.write_to_stay(&name, image)?;
        Ok(Self {
            url: url_of_file(&path),
            image: Arc::clone(image),
            options: options
                .clone()
                .filename(&path)
                .journal_mode(SqliteJournalMode::Wal)
                .synchronous(SqliteSynchronous::Off),
            name,
            path,
            timeouts,
            directory,
        })
    }

    /// A pool of several connections.
    async fn pool(&self) -> Result<DatabasePool, Error> {
        let pool = SqlitePoolOptions::new()
            .max_connections(SESSION_CONNECTIONS)
            .acquire_timeout(self.timeouts.connection)
            .connect_with(self.options.clone())
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

    /// Waits for the write lock, which another connection may have.
    async fn try_lock(&self) -> Result<(), sqlx::Error> {
        let options = self.options.clone().busy_timeout(self.timeouts.teardown);
        let mut connection = options.connect().await?;
        let locked = connection.execute("BEGIN IMMEDIATE; ROLLBACK").await;
        connection.close().await?;
        locked.map(drop)
    }

    async fn restored(&self, is_held: bool) -> Result<(), Error> {
        if !is_held {
            let restored = restore(&self.image, &self.options, self.timeouts.teardown).await;
            if restored.is_ok() {
                return Ok(());
            }
        }
        // A new file in the same place, which connections to the old one do not reach.
        self.remove();
        self.directory
            .write_to_stay(&self.name, &self.image)
            .map(drop)
    }

    fn remove(&self) {
        for suffix in ["", "-wal", "-shm", "-journal"] {
            // A file that cannot be removed is removed with the directory.
            let _ = fs::remove_file(beside(&self.path, suffix));
        }
    }

    /// Copies the database to where those of failed tests are kept, and returns its new place.
    ///
    /// Its pool has been closed, so what was in the write-ahead log is in the file.
    fn copy_to_kept(&self, test: &str, at_most: usize) -> Result<DatabaseUrl, Error> {
        let place = kept_directory()?;
        let refused = |error: std::io::Error| {
            Error::new(
                Kind::Directory,
                format!("cannot keep a database in `{}`", place.display()),
            )
            .help("make room or give write permission there, let `GREEN_LIGHT_DIR` name another place, or unset `GREEN_LIGHT_KEEP`")
            .because(error)
        };
        fs::create_dir_all(&place).map_err(refused)?;
        // The end of a long path: what is before it may be the same for many tests.
        let from = test.len().saturating_sub(LONGEST_NAME);
        let letters = test.bytes().skip(from).map(char::from);
        let name: String = letters
            .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' })
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
        Ok(url_of_file(&path))
    }
}

impl TestDatabase for FileDatabase {
    fn url(&self) -> &DatabaseUrl {
        &self.url
    }

    fn open(&self) -> BoxFuture<'_, Result<DatabasePool, Error>> {
        Box::pin(self.pool())
    }

    fn put_back(&self) -> BoxFuture<'_, Vec<String>> {
        Box::pin(put_back_process_wide())
    }

    fn check_unlocked(&self) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(async {
            self.try_lock().await.map_err(|error| {
                Error::new(Kind::Held, "SQLite lets nobody else write").because(error)
            })
        })
    }

    fn restore(&mut self, is_held: bool) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(self.restored(is_held))
    }

    fn keep<'a>(
        self: Box<Self>,
        test: &'a str,
        at_most: usize,
    ) -> BoxFuture<'a, Result<KeptDatabase, Error>> {
        Box::pin(async move {
            Ok(KeptDatabase {
                url: self.copy_to_kept(test, at_most)?,
                server_variable: None,
            })
        })
    }
}

impl Drop for FileDatabase {
    fn drop(&mut self) {
        self.remove();
    }
}

/// Where the databases of failed tests are kept.
pub(crate) fn kept_directory() -> Result<PathBuf, Error> {
    Ok(base()?.join("kept"))
}

/// The file that SQLite puts beside `path`.
pub(crate) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut path = path.to_owned().into_os_string();
    path.push(suffix);
    path.into()
}
