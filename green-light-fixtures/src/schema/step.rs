//! One step of a schema: how it runs, and how its failure is told.
//!
//! Invariant: a failure names the migration, statement, entity set or seed; the caller adds the place.

#[cfg(feature = "sea-orm")]
use std::{
    any::{TypeId, type_name},
    panic,
};
use std::{fmt, future::Future, path::Path, pin::Pin, sync::Arc};

#[cfg(feature = "sea-orm")]
use sea_orm::{DatabaseConnection, DbErr, SchemaBuilder};
#[cfg(feature = "sea-orm-migration")]
use sea_orm_migration::MigratorTrait;

#[cfg(feature = "sea-orm")]
use super::program;
use super::sql::{Directory, Text};
use crate::{
    backend::{Backend, DriverPool},
    error::{Error, Kind},
};

type Boxed<T> = Pin<Box<dyn Future<Output = T> + Send>>;
type Migrate = fn(DriverPool) -> Boxed<Result<(), Error>>;
#[cfg(feature = "sea-orm")]
type Register = dyn Fn(SchemaBuilder) -> SchemaBuilder + Send + Sync;
type Seed = dyn Fn(DriverPool) -> Boxed<Result<(), Error>> + Send + Sync;

#[derive(Clone)]
pub(super) enum Step {
    #[cfg_attr(
        not(feature = "sea-orm-migration"),
        allow(dead_code, reason = "made by `Schema::migrations` alone")
    )]
    Migrations {
        migrator: &'static str,
        names: fn() -> Vec<String>,
        run: Migrate,
        record: fn(Backend) -> Boxed<Option<String>>,
    },
    #[cfg(feature = "sea-orm")]
    Entities(Arc<Register>),
    Sql(Arc<Text>),
    SqlDirectory(Arc<Directory>),
    #[cfg(feature = "sqlx")]
    Sqlx(Arc<sqlx::migrate::Migrator>),
    Seed {
        name: &'static str,
        /// What tells it from the other seeds of this build of the program.
        kind: String,
        /// Whether it brings values along, of which nothing is known.
        captures: bool,
        run: Arc<Seed>,
    },
}

impl Step {
    #[cfg(feature = "sea-orm-migration")]
    pub(super) fn migrations<M: MigratorTrait + 'static>() -> Self {
        Self::Migrations {
            migrator: type_name::<M>(),
            names: || {
                M::migrations()
                    .iter()
                    .map(|m| m.name().to_owned())
                    .collect()
            },
            run: |pool| Box::pin(migrate::<M>(pool.to_sea_orm())),
            record: |dialect| Box::pin(super::record::record::<M>(dialect.dialect())),
        }
    }

    #[cfg(feature = "sea-orm")]
    pub(super) fn entities<F>(register: F) -> Self
    where
        F: Fn(SchemaBuilder) -> SchemaBuilder + Send + Sync + 'static,
    {
        Self::Entities(Arc::new(register))
    }

    pub(super) fn sql(sql: String) -> Self {
        let name = "Schema::sql".to_owned();
        Self::Sql(Arc::new(Text { name, sql }))
    }

    pub(super) fn sql_dir(path: &Path) -> Self {
        Self::SqlDirectory(Arc::new(Directory::read(path)))
    }

    #[cfg(feature = "sqlx")]
    pub(super) fn sqlx(migrator: sqlx::migrate::Migrator) -> Self {
        Self::Sqlx(Arc::new(migrator))
    }

    #[cfg(feature = "sea-orm")]
    pub(super) fn seed<F, E>(seed: F) -> Self
    where
        F: AsyncFn(&DatabaseConnection) -> Result<(), E> + Send + Sync + 'static,
        E: fmt::Display + 'static,
    {
        let seed = Arc::new(seed);
        Self::Seed {
            name: type_name::<F>(),
            kind: match size_of::<F>() {
                // All closures of one function have the same name.
                0 => format!("{:?}", TypeId::of::<F>()),
                _ => program::unique(),
            },
            captures: size_of::<F>() > 0,
            run: Arc::new(move |pool| Box::pin(run_seed(Arc::clone(&seed), pool.to_sea_orm()))),
        }
    }

    pub(super) async fn apply(&self, db: &DriverPool) -> Result<(), Error> {
        match self {
            Self::Migrations { run, .. } => run(db.clone()).await,
            #[cfg(feature = "sea-orm")]
            Self::Entities(register) => {
                let db = db.to_sea_orm();
                register(db.get_schema_builder())
                    .apply(&db)
                    .await
                    .map_err(|error| {
                        failed_in_sea_orm(
                            "the tables of `Schema::entities` could not be made",
                            &error,
                        )
                    })
            }
            // Boxed, or the futures of callers nest deeper than the compiler looks.
            Self::Sql(text) => Box::pin(text.run(db)).await,
            Self::SqlDirectory(directory) => Box::pin(directory.run(db)).await,
            #[cfg(feature = "sqlx")]
            Self::Sqlx(migrator) => super::sqlx_migrations::run(migrator, db).await,
            Self::Seed { run, .. } => run(db.clone()).await,
        }
    }

    /// Whether this is a seed, which is promised to run once.
    #[cfg(feature = "_server")]
    pub(super) fn is_seed(&self) -> bool {
        matches!(self, Self::Seed { .. })
    }

    /// What tells this step from others of the program if its name does not.
    pub(super) fn kind(&self) -> Option<&str> {
        match self {
            Self::Seed { kind, .. } => Some(kind),
            _ => None,
        }
    }

    /// Whether it does something that depends on values of which nothing is known.
    pub(super) fn captures(&self) -> bool {
        matches!(self, Self::Seed { captures: true, .. })
    }

    /// What tells this step from one that does something else, if all of it can be told.
    pub(super) async fn content(&self, dialect: Backend) -> Option<String> {
        match self {
            Self::Migrations { record, .. } => record(dialect).await,
            // It is promised to run once, so it cannot be tried out.
            Self::Seed { .. } => None,
            _ => Some(self.identity()),
        }
    }

    /// What tells this step from another one, for the digest.
    pub(super) fn identity(&self) -> String {
        match self {
            Self::Migrations {
                migrator, names, ..
            } => {
                format!("migrations {migrator} {}", names().join(" "))
            }
            #[cfg(feature = "sea-orm")]
            Self::Entities(register) => {
                let builder = SchemaBuilder::new(sea_orm::Schema::new(sea_orm::DbBackend::Sqlite));
                format!("entities {:?}", register(builder))
            }
            Self::Sql(text) => format!("sql {}", text.sql),
            Self::SqlDirectory(directory) => directory.identity(),
            #[cfg(feature = "sqlx")]
            Self::Sqlx(migrator) => super::sqlx_migrations::identity(migrator),
            Self::Seed { name, .. } => format!("seed {name}"),
        }
    }
}

impl fmt::Debug for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Migrations {
                migrator, names, ..
            } => {
                write!(f, "{} migrations of {migrator}", names().len())
            }
            #[cfg(feature = "sea-orm")]
            Self::Entities(_) => f.write_str("entities"),
            Self::Sql(text) => write!(f, "sql of {} bytes", text.sql.len()),
            Self::SqlDirectory(directory) => write!(f, "files of {}", directory.path.display()),
            #[cfg(feature = "sqlx")]
            Self::Sqlx(migrator) => write!(f, "{} migrations of sqlx", migrator.iter().count()),
            Self::Seed { name, .. } => write!(f, "seed {name}"),
        }
    }
}

#[cfg(feature = "sea-orm-migration")]
async fn migrate<M: MigratorTrait>(db: DatabaseConnection) -> Result<(), Error> {
    let Err(error) = M::up(&db, None).await else {
        return Ok(());
    };
    // A migration is recorded once it has succeeded, so the first pending one is the one that failed.
    let pending = M::get_pending_migrations(&db).await.unwrap_or_default();
    let what = match pending.first() {
        Some(migration) => format!(
            "migration `{}` of `{}` failed",
            migration.name(),
            type_name::<M>()
        ),
        None => format!(
            "the migrations of `{}` could not be read or recorded",
            type_name::<M>()
        ),
    };
    Err(failed_in_sea_orm(what, &error)
        .help("correct its `up`; the template is built afresh in the next run"))
}

#[cfg(feature = "sea-orm")]
/// Runs the seed on a thread that may block, where its future need not be `Send`.
async fn run_seed<F, E>(seed: Arc<F>, db: DatabaseConnection) -> Result<(), Error>
where
    F: AsyncFn(&DatabaseConnection) -> Result<(), E> + Send + Sync + 'static,
    E: fmt::Display + 'static,
{
    let runtime = tokio::runtime::Handle::current();
    let name = type_name::<F>();
    let run = move || {
        runtime
            .block_on((*seed)(&db))
            .map_err(|error| error.to_string())
    };
    match tokio::task::spawn_blocking(run).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(message)) => Err(
            Error::new(Kind::Schema, format!("the seed `{name}` failed"))
                .help("a seed runs once, on the database its schema has just made")
                .because(message),
        ),
        // A panic has its own message and place already: it goes on as it is.
        Err(ended) if ended.is_panic() => panic::resume_unwind(ended.into_panic()),
        Err(ended) => Err(
            Error::new(Kind::Schema, format!("the seed `{name}` was cancelled"))
                .help("the runtime shut down while the template was being built")
                .because(ended),
        ),
    }
}

#[cfg(feature = "sea-orm")]
fn failed_in_sea_orm(what: impl Into<String>, error: &DbErr) -> Error {
    // SeaORM repeats its source in its own text; the driver's alone says what is wrong.
    match error {
        DbErr::Exec(cause) | DbErr::Query(cause) | DbErr::Conn(cause) => failed(what, cause),
        other => failed(what, other),
    }
}

pub(super) fn failed(what: impl Into<String>, error: &dyn fmt::Display) -> Error {
    Error::new(Kind::Schema, what).because(error.to_string())
}
