//! SQLite: images in memory, hooks that refuse to commit, a worker thread per connection.
//!
//! Why two levels: sqlx counts two open transactions while SQLite has one, the outer. If a `begin` fails or is
//! cancelled, sqlx sends one rollback too many. That rollback then names a savepoint that does not exist, and fails
//! without effect. With one level it would end the outer transaction.
//!
//! What goes to the next test is a connection of which all is known: `authorize.rs` has what SQL may do, `watch.rs`
//! sees it. After anything else the next test gets a connection of its own.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use sqlx::{
    Connection as _, Executor, SqlStr, Sqlite,
    sqlite::{
        SqliteConnectOptions, SqliteConnection, SqliteOwnedBuf, SqlitePool, SqliteSynchronous,
    },
};

use crate::database_pool::DatabasePool;
use crate::driver::breach::Breach;
use crate::driver::monitor::SandboxMonitor;
use crate::driver::outcome::FinishOutcome;
use crate::driver::sandbox::{Sandbox, depth};
use crate::driver::slot_finish::finish_on_way_back;
use crate::driver::slot_pool::pool_options;
use crate::driver::traits::SlotStorage;
use crate::error::{Error, Kind};
use crate::files::base::base;
use crate::schema::definition::Schema;
use crate::schema::new_database::NewDatabase;
use crate::sqlite::directory::Directory;
use crate::sqlite::outer_transaction::{self, BASE_DEPTH};
use crate::sqlite::process_wide::put_back_process_wide;
use crate::sqlite::sandbox_finish::{
    Ended, FreshConnection, MARK, is_builtin, learn_builtin, violated,
};
use crate::sqlite::slot_file::SlotFile;
use crate::sqlite::url::url_of_file;
use crate::sqlite::watch::{self, rows};
use crate::url::DatabaseUrl;

/// The contents of a database, as SQLite writes them to a file.
pub(crate) type Image = Arc<[u8]>;

/// Builds the schema in memory and returns its image.
pub(crate) async fn build(
    schema: &Schema,
    options: &SqliteConnectOptions,
    wait: Duration,
) -> Result<Image, Error> {
    let (options, url, _directory) = if schema.may_connect() {
        // Other connections do not find a database in memory.
        let directory = Directory::create(base()?)?;
        let path = directory.write_to_stay("template.sqlite", b"")?;
        let options = options.clone().filename(&path);
        let options = options.synchronous(SqliteSynchronous::Off);
        (options, url_of_file(&path), Some(directory))
    } else {
        let url = DatabaseUrl::new("sqlite::memory:");
        (options.clone().filename(":memory:"), url, None)
    };
    let pool = pool_options::<Sqlite>(wait)
        .connect_with(options)
        .await
        .map_err(cannot_open)?;
    let db = DatabasePool::new(pool.clone());
    let built = schema.apply(&NewDatabase::new(db, url)).await;
    let image = match built {
        Ok(()) => image(&pool).await.map_err(|error| {
            Error::new(Kind::Schema, "the template could not be read back")
                .help("end every transaction and stream that the schema or its seed begins")
                .because(error)
        }),
        Err(error) => Err(error),
    };
    // Closing waits for connections that a seed may have leaked; dropping does not.
    drop(pool.close());
    image
}

async fn image(pool: &SqlitePool) -> Result<Image, sqlx::Error> {
    let mut connection = pool.acquire().await?;
    // An empty database has no page at all, and SQLite then has no image of it: a write makes one.
    // An image that says WAL could not be opened in memory.
    connection
        .execute("PRAGMA journal_mode = DELETE; BEGIN IMMEDIATE; COMMIT")
        .await?;
    Ok(Arc::from(&*connection.serialize(None).await?))
}

/// The sandbox of a slot on SQLite.
#[derive(Debug)]
pub(crate) struct SqliteSandbox {
    options: SqliteConnectOptions,
    /// What is loaded into every new connection.
    image: Option<Image>,
    /// What every test must leave as it is, once it is known.
    fresh: OnceLock<FreshConnection>,
}

impl SqliteSandbox {
    pub(crate) fn new(options: SqliteConnectOptions, image: Option<Image>) -> Self {
        Self {
            options,
            image,
            fresh: OnceLock::new(),
        }
    }

    async fn outcome(
        &self,
        Ended { is_worn, findings }: Ended,
        connection: &mut SqliteConnection,
        monitor: &SandboxMonitor,
    ) -> FinishOutcome {
        for pragma in findings.refused {
            monitor.note(Breach::ProcessWide, pragma);
        }
        if findings.has_ended {
            monitor.ended(Breach::Unhooked);
            return FinishOutcome::Lost;
        }
        if findings.is_violated {
            let violated = violated(connection).await;
            return violated.unwrap_or_else(FinishOutcome::Failed);
        }
        match self.image {
            _ if !is_worn => FinishOutcome::Clean,
            Some(_) => FinishOutcome::Worn,
            // A file stays when its connection goes.
            None => FinishOutcome::Changed,
        }
    }
}

impl Sandbox for SqliteSandbox {
    type Db = Sqlite;
    const BASE_DEPTH: usize = BASE_DEPTH;

    fn options(&self) -> &SqliteConnectOptions {
        &self.options
    }

    fn stand_in(&self) -> Option<SqliteConnectOptions> {
        // An empty database: a connection opened by the options of the pool gets one too.
        Some(SqliteConnectOptions::new().filename(":memory:"))
    }

    /// Loads the image, opens the outer transaction and installs the hooks.
    async fn begin(
        &self,
        connection: &mut SqliteConnection,
        monitor: &Arc<SandboxMonitor>,
    ) -> Result<(), sqlx::Error> {
        if let Some(image) = self.image.as_deref() {
            connection
                .deserialize(None, SqliteOwnedBuf::try_from(image)?, false)
                .await?;
        }
        outer_transaction::begin(connection).await?;
        let mut handle = connection.lock_handle().await?;
        learn_builtin(&mut handle)?;
        // A connection lists these once one of them was used; so all list them, if SQLite has them.
        let _ = rows(
            &mut handle,
            c"SELECT 1 FROM json_each('[]'), json_tree('[]')",
            |_, _| {},
        );
        watch::install(&mut handle, monitor, is_builtin)?;
        drop(handle);
        // Kept among the prepared statements of the connection.
        connection.prepare(SqlStr::from_static(MARK)).await?;
        Ok(())
    }

    async fn learn(&self, pool: &SqlitePool) -> Result<(), sqlx::Error> {
        let fresh = FreshConnection::of(pool).await?;
        self.fresh.get_or_init(|| fresh);
        Ok(())
    }

    async fn after_use(
        &self,
        connection: &mut SqliteConnection,
        monitor: &SandboxMonitor,
    ) -> Result<bool, sqlx::Error> {
        monitor.released();
        let ends = monitor.handoff().ends().await;
        Ok(!ends || finish_on_way_back(self, connection, monitor).await)
    }

    async fn finish(
        &self,
        connection: &mut SqliteConnection,
        monitor: &SandboxMonitor,
    ) -> FinishOutcome {
        // A hook may have reported it while the statement before was running.
        if monitor.is_lost() {
            self.flush_events(connection).await;
            return FinishOutcome::Lost;
        }
        let Some(fresh) = self.fresh.get() else {
            return FinishOutcome::Changed;
        };
        if depth::<Sqlite>(connection) != BASE_DEPTH {
            return FinishOutcome::Changed;
        }
        // A database in memory is found by no URL.
        let is_known = self.image.is_none() && monitor.was_url_asked_for();
        if is_known {
            for pragma in put_back_process_wide().await {
                monitor.note(Breach::SetInProcess, pragma);
            }
        }
        let _ending = monitor.ending();
        let may_be_given = monitor.has_untracked_use();
        let ended = match connection.lock_handle().await {
            Ok(mut handle) => fresh.end(&mut handle, may_be_given, is_known),
            Err(error) => Err(error),
        };
        match ended {
            Ok(ended) => self.outcome(ended, connection, monitor).await,
            Err(error) => FinishOutcome::Failed(error),
        }
    }

    async fn flush_events(&self, connection: &mut SqliteConnection) {
        // A test may have its answer before the thread of the connection has logged the statement. That thread
        // does one thing after the other.
        let _ = connection.ping().await;
    }

    fn cannot_open(error: sqlx::Error) -> Error {
        cannot_open(error)
    }

    fn cannot_begin() -> Error {
        Error::new(
            Kind::Connection,
            "a database could not be made from the template",
        )
        .help("look at the cause; a full disk or too little memory are the usual ones")
    }
}

/// What a slot on SQLite owns besides its pool: the file of its database, unless that is in memory.
impl SlotStorage<Sqlite> for Option<SlotFile> {
    fn url(&self) -> Option<&DatabaseUrl> {
        self.as_ref().map(SlotFile::url)
    }
}

fn cannot_open(error: sqlx::Error) -> Error {
    Error::new(Kind::Connection, "SQLite could not open a database")
        .help("for a database in a file, look at the path and its permissions")
        .because(error)
}
