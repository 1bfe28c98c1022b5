//! The database that the tests of a process share, and what it looks like when no test has used it.

#[cfg(feature = "sqlite")]
use sqlx::sqlite::SqliteConnectOptions;

use crate::database::shared_queue::{Moment, Reset};
use crate::database_pool::DatabasePool;
use crate::error::Error;
use crate::limits::Timeouts;
#[cfg(feature = "mysql")]
use crate::mysql::restore::Original;
#[cfg(feature = "postgres")]
use crate::postgres::restore::Reference;
#[cfg(feature = "sqlite")]
use crate::sqlite::file::DatabaseFile;
#[cfg(feature = "sqlite")]
use crate::sqlite::{file, restore};
use crate::url::DatabaseUrl;

#[derive(Debug)]
pub(crate) enum Shared {
    #[cfg(feature = "sqlite")]
    Sqlite {
        file: DatabaseFile,
        /// What the template made, in a file of its own.
        reference: DatabaseFile,
        options: Box<SqliteConnectOptions>,
    },
    #[cfg(feature = "postgres")]
    Postgres {
        claim:
            crate::server::database_lease::DatabaseLease<crate::postgres::server::PostgresServer>,
        reference: Reference,
        waits: Timeouts,
    },
    #[cfg(feature = "mysql")]
    MySql {
        claim: crate::server::database_lease::DatabaseLease<crate::mysql::server::MySqlServer>,
        original: Original,
        waits: Timeouts,
    },
}

impl Shared {
    #[cfg(feature = "postgres")]
    pub(crate) async fn postgres(
        claim: crate::server::database_lease::DatabaseLease<
            crate::postgres::server::PostgresServer,
        >,
        waits: Timeouts,
    ) -> Result<Self, Error> {
        let cannot = |error| {
            crate::postgres::errors::failed("the shared database cannot be prepared", error)
        };
        let reference = Reference::take(&claim.options()).await.map_err(cannot)?;
        Ok(Self::Postgres {
            claim,
            reference,
            waits,
        })
    }

    #[cfg(feature = "mysql")]
    pub(crate) async fn mysql(
        claim: crate::server::database_lease::DatabaseLease<crate::mysql::server::MySqlServer>,
        template: &crate::mysql::template::MySqlTemplate,
        waits: Timeouts,
    ) -> Result<Self, Error> {
        let cannot =
            |error| crate::mysql::errors::failed("the shared database cannot be prepared", error);
        let (name, script) = (template.info.name.clone(), template.script().await?);
        let options = claim.options();
        let original = Original::take(name, script, &options, claim.name()).await;
        Ok(Self::MySql {
            original: original.map_err(cannot)?,
            claim,
            waits,
        })
    }

    /// Opens a pool for the test whose turn it is.
    pub(crate) async fn open(&self, waits: Timeouts) -> Result<DatabasePool, Error> {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite { file, options, .. } => file::open(options, file, waits).await,
            #[cfg(feature = "postgres")]
            Self::Postgres { claim, .. } => claim.open(waits).await,
            #[cfg(feature = "mysql")]
            Self::MySql { claim, .. } => claim.open(waits).await,
        }
    }

    pub(crate) fn url(&self) -> DatabaseUrl {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite { file, .. } => file.url(),
            #[cfg(feature = "postgres")]
            Self::Postgres { claim, .. } => claim.url().clone(),
            #[cfg(feature = "mysql")]
            Self::MySql { claim, .. } => claim.url().clone(),
        }
    }

    /// Puts back what a test changed.
    #[cfg_attr(
        not(feature = "_server"),
        expect(unused_variables, reason = "a file is opened each time")
    )]
    pub(crate) async fn reset(&self, moment: Moment) -> Result<Reset, Error> {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite {
                file,
                reference,
                options,
            } => {
                let options = file::options(options, file.path());
                restore::reset(&options, reference.path())
                    .await
                    .map_err(|error| {
                        Error::new(
                            crate::error::Kind::Held,
                            "SQLite refuses to change the shared database",
                        )
                        .because(error)
                    })
            }
            #[cfg(feature = "postgres")]
            Self::Postgres {
                claim,
                reference,
                waits,
            } => {
                let (options, wait) = (claim.options(), waits.teardown);
                reference.restore(moment, &options, wait).await
            }
            #[cfg(feature = "mysql")]
            Self::MySql {
                claim,
                original,
                waits,
            } => {
                let (options, wait) = (claim.options(), waits.teardown);
                original.restore(moment, &options, claim.name(), wait).await
            }
        }
    }
}
