//! Where stays take place: the databases of one engine, and what becomes of each.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicU64, Ordering},
};

#[cfg(feature = "sqlite")]
use super::sqlite_file::{self, DatabaseFile};
use super::{
    stay::Stay,
    turn::{Turn, Turns},
};
#[cfg(feature = "postgres")]
use crate::postgres::Claim;
use crate::{
    backend::Backend,
    directory::{Directory, default_base},
    error::{Error, Kind},
    isolation::Isolation,
    sandbox::Waits,
    template::Template,
    url::DatabaseUrl,
};

/// The databases of one engine that tests may commit to.
#[derive(Debug)]
pub(crate) struct Databases {
    template: Arc<Template>,
    waits: Waits,
    /// Made when the first database needs a file and the engine itself is in memory.
    directory: Mutex<Option<Arc<Directory>>>,
    turns: Turns,
    made: AtomicU64,
}

impl Databases {
    pub(crate) fn new(template: Arc<Template>, waits: Waits) -> Self {
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
        match &*self.template {
            #[cfg(feature = "sqlite")]
            Template::Sqlite { options, .. } => {
                let file = self.file()?;
                let connection = sqlite_file::open(options, &file, self.waits).await?;
                let home = Home::File(file);
                Ok(Stay::new(
                    connection,
                    home,
                    test,
                    Isolation::Database,
                    self.waits,
                ))
            }
            #[cfg(feature = "postgres")]
            Template::Postgres(template) => {
                let claim = template.claim(&test).await?;
                self.made.fetch_add(1, Ordering::Relaxed);
                let connection = claim.open(self.waits).await?;
                let home = Home::Postgres(claim);
                let isolation = Isolation::Database;
                Ok(Stay::new(connection, home, test, isolation, self.waits))
            }
            #[cfg(feature = "mysql")]
            Template::MySql(_) => Err(only_transaction(Isolation::Database, Backend::MySql)),
        }
    }

    /// The turn of `test` in the database that the tests of the process share.
    pub(crate) async fn shared(&self, test: Arc<str>) -> Result<Stay, Error> {
        let mut turn = self.turns.wait(&test).await?;
        match &*self.template {
            #[cfg(feature = "sqlite")]
            Template::Sqlite { image, options, .. } => {
                let directory = self.directory()?;
                let file = turn
                    .begin(options, image, &directory, || self.file())
                    .await?;
                let connection = sqlite_file::open(options, file, self.waits).await?;
                let home = Home::Shared(turn);
                Ok(Stay::new(
                    connection,
                    home,
                    test,
                    Isolation::Shared,
                    self.waits,
                ))
            }
            #[cfg(feature = "postgres")]
            Template::Postgres(_) => Err(only_transaction(Isolation::Shared, Backend::Postgres)),
            #[cfg(feature = "mysql")]
            Template::MySql(_) => Err(only_transaction(Isolation::Shared, Backend::MySql)),
        }
    }

    #[cfg(feature = "sqlite")]
    fn file(&self) -> Result<DatabaseFile, Error> {
        let Template::Sqlite { image, digest, .. } = &*self.template else {
            unreachable!("files are asked for by templates of SQLite");
        };
        let number = self.made.fetch_add(1, Ordering::Relaxed) + 1;
        let directory = self.directory()?;
        DatabaseFile::write(&directory, &format!("{digest}-own-{number}.sqlite"), image)
    }

    fn directory(&self) -> Result<Arc<Directory>, Error> {
        #[cfg(feature = "sqlite")]
        if let Template::Sqlite {
            directory: Some(directory),
            ..
        } = &*self.template
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

/// What a server cannot do here.
#[cfg(feature = "_server")]
fn only_transaction(isolation: Isolation, backend: Backend) -> Error {
    Error::new(
        Kind::Configuration,
        format!("isolation `{isolation}` is not available on backend `{backend}`"),
    )
    .help("use isolation `transaction` there, or backend `sqlite`")
}

/// The database of a stay. Dropping it throws the database away.
#[derive(Debug)]
pub(super) enum Home {
    /// SQLite's, for one test.
    #[cfg(feature = "sqlite")]
    File(DatabaseFile),
    /// SQLite's, for one test after the other.
    #[cfg(feature = "sqlite")]
    Shared(Turn),
    /// PostgreSQL's, for one test.
    #[cfg(feature = "postgres")]
    Postgres(Claim),
}

impl Home {
    pub(super) fn url(&self) -> DatabaseUrl {
        match self {
            #[cfg(feature = "sqlite")]
            Self::File(file) => file.url(),
            #[cfg(feature = "sqlite")]
            Self::Shared(turn) => turn.url(),
            #[cfg(feature = "postgres")]
            Self::Postgres(claim) => claim.url().clone(),
            #[cfg(not(any(feature = "sqlite", feature = "postgres")))]
            _ => unreachable!("there is no such database on MySQL"),
        }
    }

    /// The test has ended; `held` if something still has a connection of its.
    pub(super) async fn leave(self, test: &str, held: bool) -> Result<(), Error> {
        match self {
            #[cfg(feature = "sqlite")]
            Self::File(file) => {
                drop(file);
                Ok(())
            }
            #[cfg(feature = "postgres")]
            Self::Postgres(claim) => {
                drop(claim);
                Ok(())
            }
            // Who holds a connection may write at any time: the database is not for another test.
            #[cfg(feature = "sqlite")]
            Self::Shared(turn) if held => {
                drop(turn);
                Ok(())
            }
            #[cfg(feature = "sqlite")]
            Self::Shared(turn) => turn.end(test).await,
        }
    }
}
