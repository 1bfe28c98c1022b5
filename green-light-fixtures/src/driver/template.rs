//! Building a template, and opening slots from it.

use std::{sync::Arc, time::Duration};

#[cfg(feature = "sqlite")]
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};

use crate::driver::monitor::Guard;
use crate::driver::pool::Pool;
use crate::error::Error;
#[cfg(feature = "sqlite")]
use crate::files::temp_dir::Directory;
#[cfg(feature = "mysql")]
use crate::mysql::template::MySqlTemplate;
#[cfg(feature = "postgres")]
use crate::postgres::template::PostgresTemplate;
use crate::sandbox::slot::SlotHome;
#[cfg(feature = "sqlite")]
use crate::schema::definition::Schema;
#[cfg(feature = "sqlite")]
use crate::sqlite::template_cache::TemplateCache;
use crate::url::DatabaseUrl;

#[derive(Debug)]
pub(crate) enum Template {
    #[cfg(feature = "sqlite")]
    Sqlite {
        image: crate::sqlite::sandbox::Image,
        built: bool,
        options: Box<SqliteConnectOptions>,
        /// Where the databases are, if not in memory.
        directory: Option<Arc<Directory>>,
        digest: String,
    },
    #[cfg(feature = "postgres")]
    Postgres(PostgresTemplate),
    #[cfg(feature = "mysql")]
    MySql(MySqlTemplate),
}

impl Template {
    #[cfg(feature = "sqlite")]
    pub(crate) async fn sqlite(
        schema: &Schema,
        options: SqliteConnectOptions,
        directory: Option<Directory>,
        wait: Duration,
    ) -> Result<Self, Error> {
        let (image, built) = TemplateCache::obtain(schema, &options, wait).await?;
        Ok(Self::Sqlite {
            image,
            built,
            options: Box::new(options),
            directory: directory.map(Arc::new),
            digest: schema.digest(),
        })
    }

    /// Makes the database of slot `number`, which `test` is the first to have, and opens a guarded pool on it.
    pub(crate) async fn open(
        &self,
        number: u64,
        test: &str,
        guard: &Arc<Guard>,
        wait: Duration,
    ) -> Result<(Pool, SlotHome), Error> {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite {
                image,
                options,
                directory: None,
                ..
            } => {
                let options = options.clone().filename(":memory:");
                let pool =
                    crate::sqlite::sandbox::open(&options, Some(Arc::clone(image)), guard, wait)
                        .await?;
                Ok((pool, SlotHome::Memory))
            }
            #[cfg(feature = "sqlite")]
            Self::Sqlite {
                image,
                options,
                directory: Some(directory),
                digest,
                ..
            } => {
                let file = directory.write(&format!("{digest}-{number}.sqlite"), image)?;
                // Nothing is ever committed to the file and nothing outlives the process, so
                // neither a journal nor a sync to the disk is of use.
                let options = options
                    .clone()
                    .filename(file.path())
                    .journal_mode(SqliteJournalMode::Memory)
                    .synchronous(SqliteSynchronous::Off);
                let pool = crate::sqlite::sandbox::open(&options, None, guard, wait).await?;
                Ok((pool, SlotHome::File(file)))
            }
            #[cfg(feature = "postgres")]
            Self::Postgres(template) => {
                let claim = template.claim_for_slot(test, wait).await?;
                let pool = crate::postgres::sandbox::open(&claim.options(), guard, wait).await?;
                Ok((pool, SlotHome::Postgres(claim)))
            }
            #[cfg(feature = "mysql")]
            Self::MySql(template) => {
                let (claim, programs) = template.claim_for_slot(test).await?;
                let pool =
                    crate::mysql::sandbox::open(&claim.options(), guard, wait, programs).await?;
                Ok((pool, SlotHome::MySql(claim)))
            }
        }
    }

    /// How often the schema ran for it in this process.
    pub(crate) fn builds(&self) -> u64 {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite { built, .. } => u64::from(*built),
            #[cfg(feature = "postgres")]
            Self::Postgres(template) => u64::from(template.was_built()),
            #[cfg(feature = "mysql")]
            Self::MySql(template) => u64::from(template.was_built()),
        }
    }

    /// Whether its databases are on a server, and so cost connections.
    pub(crate) fn is_on_server(&self) -> bool {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite { .. } => false,
            #[cfg(any(feature = "postgres", feature = "mysql"))]
            _ => true,
        }
    }

    /// What to know if the server was started by green-light and has ended, in words.
    pub(crate) fn server_end(&self) -> Option<String> {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite { .. } => None,
            #[cfg(feature = "postgres")]
            Self::Postgres(_) => {
                crate::local_server::origin::end_of(crate::local_server::origin::Origin::POSTGRES)
            }
            #[cfg(feature = "mysql")]
            Self::MySql(_) => {
                crate::local_server::origin::end_of(crate::local_server::origin::Origin::MYSQL)
            }
        }
    }

    /// Whether statements that define something end the transaction they are sent in.
    pub(crate) fn definitions_commit(&self) -> bool {
        match self {
            #[cfg(feature = "mysql")]
            Self::MySql(_) => true,
            #[cfg(any(feature = "sqlite", feature = "postgres"))]
            _ => false,
        }
    }

    /// Where slots made from this template are.
    pub(crate) fn url(&self) -> DatabaseUrl {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite {
                directory: None, ..
            } => DatabaseUrl::new("sqlite::memory:"),
            #[cfg(feature = "sqlite")]
            Self::Sqlite {
                directory: Some(directory),
                ..
            } => DatabaseUrl::of_file(directory.path()),
            #[cfg(feature = "postgres")]
            Self::Postgres(template) => template.url(),
            #[cfg(feature = "mysql")]
            Self::MySql(template) => template.url(),
        }
    }
}
