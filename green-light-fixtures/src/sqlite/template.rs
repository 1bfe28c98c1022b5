//! A template of SQLite: the image of a database, from which others are made by reading it.

use std::{sync::Arc, time::Duration};

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};

use crate::database_pool::BoxFuture;
use crate::driver::engine_builder::{EngineOptions, Storage};
use crate::driver::monitor::SandboxMonitor;
use crate::driver::slot_pool;
use crate::driver::traits::{SlotDatabase, Template, TestDatabase};
use crate::error::Error;
use crate::files::base::base;
use crate::limits::Timeouts;
use crate::schema::definition::Schema;
use crate::sql::dialect::Dialect;
use crate::sqlite::dialect::SqliteDialect;
use crate::sqlite::directory::Directory;
use crate::sqlite::file::{FileDatabase, FileDirectory};
use crate::sqlite::process_wide::note_process_wide;
use crate::sqlite::sandbox::{Image, SqliteSandbox};
use crate::sqlite::template_cache::TemplateCache;
use crate::sqlite::url::url_of_file;
use crate::url::DatabaseUrl;

#[derive(Debug)]
pub(crate) struct SqliteTemplate {
    image: Image,
    built: bool,
    options: Box<SqliteConnectOptions>,
    /// Where the databases of slots are, if not in memory.
    directory: Option<Arc<Directory>>,
    /// Where those are that tests may commit to.
    files: FileDirectory,
    digest: String,
}

impl SqliteTemplate {
    pub(crate) async fn obtain(schema: &Schema, options: &EngineOptions) -> Result<Self, Error> {
        note_process_wide();
        let directory = match &options.storage {
            Storage::Memory => None,
            Storage::Target => Some(Directory::create(base()?)?),
            Storage::Directory(path) => Some(Directory::create(path)?),
        };
        let directory = directory.map(Arc::new);
        let wait = options.waits.connection;
        let options = connect_options(options);
        let (image, built) = TemplateCache::obtain(schema, &options, wait).await?;
        Ok(Self {
            image,
            built,
            options: Box::new(options),
            files: FileDirectory::new(directory.clone()),
            directory,
            digest: schema.digest(),
        })
    }

    async fn slot(
        &self,
        number: u64,
        monitor: &Arc<SandboxMonitor>,
        wait: Duration,
    ) -> Result<Box<dyn SlotDatabase>, Error> {
        let Some(directory) = &self.directory else {
            let options = self.options.clone().filename(":memory:");
            let sandbox = SqliteSandbox::new(options, Some(Arc::clone(&self.image)));
            return slot_pool::open(sandbox, None, monitor, wait).await;
        };
        let file = directory.write(&format!("{}-{number}.sqlite", self.digest), &self.image)?;
        // Nothing is ever committed to the file and nothing outlives the process, so neither a journal nor
        // a sync to the disk is of use.
        let options = self.options.clone();
        let options = options
            .filename(file.path())
            .journal_mode(SqliteJournalMode::Memory)
            .synchronous(SqliteSynchronous::Off);
        slot_pool::open(SqliteSandbox::new(options, None), Some(file), monitor, wait).await
    }
}

impl Template for SqliteTemplate {
    fn dialect(&self) -> &'static dyn Dialect {
        &SqliteDialect
    }

    fn url(&self) -> DatabaseUrl {
        match &self.directory {
            None => DatabaseUrl::new("sqlite::memory:"),
            Some(directory) => url_of_file(directory.path()),
        }
    }

    fn builds(&self) -> u64 {
        u64::from(self.built)
    }

    fn open_slot<'a>(
        &'a self,
        number: u64,
        _test: &'a str,
        monitor: &'a Arc<SandboxMonitor>,
        wait: Duration,
    ) -> BoxFuture<'a, Result<Box<dyn SlotDatabase>, Error>> {
        Box::pin(self.slot(number, monitor, wait))
    }

    fn create<'a>(
        &'a self,
        _owner: &'a str,
        timeouts: Timeouts,
    ) -> BoxFuture<'a, Result<Box<dyn TestDatabase>, Error>> {
        Box::pin(async move {
            let database = FileDatabase::create(&self.files, &self.image, &self.options, timeouts);
            let database: Box<dyn TestDatabase> = Box::new(database?);
            Ok(database)
        })
    }
}

/// How to connect, in the words of the user if there are any.
pub(crate) fn connect_options(options: &EngineOptions) -> SqliteConnectOptions {
    let own = options.connect.as_ref().and_then(|own| own.downcast_ref());
    own.cloned().unwrap_or_default()
}
