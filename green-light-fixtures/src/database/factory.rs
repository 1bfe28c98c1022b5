//! Where stays take place: the databases of one engine, and what becomes of each.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use crate::database::dedicated::Stay;
use crate::database::keep;
use crate::database::shared::Shared;
use crate::database::shared_queue::{Turn, Turns};
use crate::database_pool::DatabasePool;
use crate::driver::traits::Template;
use crate::error::Error;
use crate::files::temp_dir::{Directory, default_base};
use crate::isolation::Isolation;
use crate::limits::Timeouts;
#[cfg(feature = "mysql")]
use crate::mysql::template::MySqlTemplate;
#[cfg(feature = "postgres")]
use crate::postgres::template::PostgresTemplate;
#[cfg(feature = "_server")]
use crate::server::connection_budget::SHARED;
#[cfg(feature = "sqlite")]
use crate::sqlite::file;
#[cfg(feature = "sqlite")]
use crate::sqlite::file::DatabaseFile;
#[cfg(feature = "sqlite")]
use crate::sqlite::template::SqliteTemplate;
use crate::url::DatabaseUrl;

/// The databases of one engine that tests may commit to.
#[derive(Debug)]
pub(crate) struct Databases {
    template: Arc<dyn Template>,
    waits: Timeouts,
    /// Made when the first database needs a file and the engine itself is in memory.
    directory: Mutex<Option<Arc<Directory>>>,
    turns: Turns,
    made: AtomicU64,
}

impl Databases {
    pub(crate) fn new(template: Arc<dyn Template>, waits: Timeouts) -> Self {
        Self {
            template,
            waits,
            directory: Mutex::default(),
            turns: Turns::default(),
            made: AtomicU64::new(0),
        }
    }

    /// How many databases have been made.
    pub(crate) fn made(&self) -> u64 {
        self.made.load(Ordering::Relaxed)
    }

    /// A database of its own for `test`.
    pub(crate) async fn own(&self, test: Arc<str>) -> Result<Stay, Error> {
        let template = self.template.as_any();
        #[cfg(feature = "sqlite")]
        if let Some(template) = template.downcast_ref::<SqliteTemplate>() {
            let file = self.file("own", &template.image)?;
            let pool = file::open(&template.options, &file, self.waits).await?;
            return Ok(self.stay(pool, Home::File(file), test));
        }
        #[cfg(feature = "postgres")]
        if let Some(template) = template.downcast_ref::<PostgresTemplate>() {
            let claim = template.lease(&test).await?;
            let pool = claim.open(self.waits).await?;
            return Ok(self.stay(pool, Home::Postgres(claim), test));
        }
        #[cfg(feature = "mysql")]
        if let Some(template) = template.downcast_ref::<MySqlTemplate>() {
            let claim = template.lease(&test).await?;
            let pool = claim.open(self.waits).await?;
            return Ok(self.stay(pool, Home::MySql(claim), test));
        }
        unreachable!("there is no other template")
    }

    fn stay(&self, connection: DatabasePool, home: Home, test: Arc<str>) -> Stay {
        self.made.fetch_add(1, Ordering::Relaxed);
        let isolation = Isolation::Database;
        Stay::new(connection, home, test, isolation, self.waits)
    }

    /// The turn of `test` in the database that the tests of the process share.
    pub(crate) async fn shared(&self, test: Arc<str>) -> Result<Stay, Error> {
        let mut turn = self.turns.wait(&test).await?;
        let shared = turn.begin(|| self.make_shared()).await?;
        let connection = shared.open(self.waits).await?;
        let (home, isolation) = (Home::Shared(turn), Isolation::Shared);
        Ok(Stay::new(connection, home, test, isolation, self.waits))
    }

    async fn make_shared(&self) -> Result<Shared, Error> {
        let template = self.template.as_any();
        #[cfg(feature = "sqlite")]
        if let Some(template) = template.downcast_ref::<SqliteTemplate>() {
            self.made.fetch_add(1, Ordering::Relaxed);
            return Ok(Shared::Sqlite {
                file: self.file("shared", &template.image)?,
                reference: self.file("reference", &template.image)?,
                options: template.options.clone(),
            });
        }
        #[cfg(feature = "postgres")]
        if let Some(template) = template.downcast_ref::<PostgresTemplate>() {
            self.made.fetch_add(1, Ordering::Relaxed);
            let claim = template.lease(SHARED).await?;
            return Shared::postgres(claim, self.waits).await;
        }
        #[cfg(feature = "mysql")]
        if let Some(template) = template.downcast_ref::<MySqlTemplate>() {
            self.made.fetch_add(1, Ordering::Relaxed);
            let claim = template.lease(SHARED).await?;
            return Shared::mysql(claim, template, self.waits).await;
        }
        unreachable!("there is no other template")
    }

    #[cfg(feature = "sqlite")]
    fn file(&self, kind: &str, image: &[u8]) -> Result<DatabaseFile, Error> {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let directory = self.directory()?;
        DatabaseFile::write(&directory, &format!("{kind}-{number}.sqlite"), image)
    }

    fn directory(&self) -> Result<Arc<Directory>, Error> {
        #[cfg(feature = "sqlite")]
        if let Some(template) = self.template.as_any().downcast_ref::<SqliteTemplate>()
            && let Some(directory) = &template.directory
        {
            return Ok(Arc::clone(directory));
        }
        let mut made = self
            .directory
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(directory) = &*made {
            return Ok(Arc::clone(directory));
        }
        let directory = Arc::new(Directory::create(&default_base())?);
        *made = Some(Arc::clone(&directory));
        Ok(directory)
    }
}

/// The database of a stay. Dropping it throws the database away.
#[derive(Debug)]
pub(crate) enum Home {
    /// SQLite's, for one test.
    #[cfg(feature = "sqlite")]
    File(DatabaseFile),
    /// PostgreSQL's, for one test.
    #[cfg(feature = "postgres")]
    Postgres(crate::server::database_lease::DatabaseLease<crate::postgres::server::PostgresServer>),
    /// MySQL's, for one test.
    #[cfg(feature = "mysql")]
    MySql(crate::server::database_lease::DatabaseLease<crate::mysql::server::MySqlServer>),
    /// One for all tests of the process, for one test after the other.
    Shared(Turn),
}

impl Home {
    pub(crate) fn url(&self) -> DatabaseUrl {
        match self {
            #[cfg(feature = "sqlite")]
            Self::File(file) => file.url(),
            #[cfg(feature = "postgres")]
            Self::Postgres(claim) => claim.url().clone(),
            #[cfg(feature = "mysql")]
            Self::MySql(claim) => claim.url().clone(),
            Self::Shared(turn) => turn.url(),
        }
    }

    /// The test has ended; `held` if something still has a connection of its.
    pub(crate) async fn leave(self, test: &str, held: bool) -> Result<(), Error> {
        match self {
            // Who holds a connection may write at any time: the database is not for another test.
            Self::Shared(turn) if held => drop(turn),
            Self::Shared(turn) => return turn.end(test).await,
            thrown_away => drop(thrown_away),
        }
        Ok(())
    }

    /// The test has failed, and its database is to be looked at.
    pub(crate) async fn keep(self, test: &str, at_most: usize) -> Result<(), Error> {
        match self {
            #[cfg(feature = "sqlite")]
            Self::File(file) => keep::file(file, test, at_most),
            #[cfg(feature = "postgres")]
            Self::Postgres(claim) => keep::postgres(claim, test, at_most).await,
            #[cfg(feature = "mysql")]
            Self::MySql(claim) => keep::mysql(claim, test, at_most).await,
            Self::Shared(turn) => match turn.into_database() {
                #[cfg(feature = "sqlite")]
                Some(Shared::Sqlite { file, .. }) => keep::file(file, test, at_most),
                #[cfg(feature = "postgres")]
                Some(Shared::Postgres { claim, .. }) => keep::postgres(claim, test, at_most).await,
                #[cfg(feature = "mysql")]
                Some(Shared::MySql { claim, .. }) => keep::mysql(claim, test, at_most).await,
                None => Ok(()),
            },
        }
    }
}
