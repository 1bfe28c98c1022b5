//! One step of a schema: how it runs, and how its failure is told.
//!
//! Invariant: a failure names the migration, statement, entity set or seed; the caller adds the place.

#[cfg(feature = "sea-orm-migration")]
use std::sync::atomic::{AtomicBool, Ordering};
use std::{
    any::TypeId,
    fmt,
    future::Future,
    panic::{self, Location},
    path::{Path, PathBuf},
    pin::Pin,
    sync::Arc,
};

#[cfg(feature = "sea-orm")]
use sea_orm::{DatabaseConnection, DbErr, SchemaBuilder};
#[cfg(feature = "sea-orm-migration")]
use sea_orm_migration::MigratorTrait;

use crate::error::{Error, Kind};
#[cfg(feature = "sea-orm-migration")]
use crate::schema::migration_recorder::{Bounds, Recorded, record};
use crate::schema::new_database::NewDatabase;
#[cfg(feature = "sea-orm-migration")]
use crate::schema::recorded_migrations::Kept;
use crate::schema::sql_directory::SqlFiles;
use crate::schema::sql_files::Text;
use crate::sql::dialect::Dialect;

type Boxed<T> = Pin<Box<dyn Future<Output = T> + Send>>;
#[cfg(feature = "sea-orm-migration")]
type Migrate = fn(DatabaseConnection) -> Boxed<Result<(), Error>>;
#[cfg(feature = "sea-orm")]
type Register = dyn Fn(SchemaBuilder) -> SchemaBuilder + Send + Sync;
type Run = dyn Fn(NewDatabase) -> Boxed<Result<(), Error>> + Send + Sync;

#[derive(Clone)]
pub(crate) enum Step {
    #[cfg(feature = "sea-orm-migration")]
    Migrations {
        migrator: &'static str,
        names: fn() -> Vec<String>,
        run: Migrate,
        record: fn(&'static dyn Dialect, Bounds) -> Boxed<Recorded>,
    },
    #[cfg(feature = "sea-orm")]
    Entities(Arc<Register>),
    Sql(Arc<Text>),
    SqlFiles(Arc<SqlFiles>),
    #[cfg(feature = "sqlx")]
    Sqlx(Arc<sqlx::migrate::Migrator>),
    /// A function: a seed, or one that has a name.
    Code {
        name: Name,
        /// What tells it from the other functions of this build of the program.
        kind: String,
        /// Whether it brings values along, of which nothing is known.
        captures: bool,
        run: Arc<Run>,
    },
}

/// How errors call a function.
#[derive(Clone, Debug)]
pub(crate) enum Name {
    /// The name of its type.
    #[cfg(feature = "sea-orm")]
    Seed(&'static str),
    Given(String),
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            #[cfg(feature = "sea-orm")]
            Self::Seed(name) => write!(f, "the seed `{name}`"),
            Self::Given(name) => write!(f, "`{name}` of `Schema::run`"),
        }
    }
}

impl Step {
    #[cfg(feature = "sea-orm-migration")]
    pub(crate) fn migrations<M: MigratorTrait + 'static>() -> Self {
        Self::Migrations {
            migrator: std::any::type_name::<M>(),
            names: || {
                M::migrations()
                    .iter()
                    .map(|m| m.name().to_owned())
                    .collect()
            },
            run: |db| Box::pin(migrate::<M>(db)),
            record: |dialect, bounds| Box::pin(record::<M>(dialect, bounds)),
        }
    }

    #[cfg(feature = "sea-orm")]
    pub(crate) fn entities<F>(register: F) -> Self
    where
        F: Fn(SchemaBuilder) -> SchemaBuilder + Send + Sync + 'static,
    {
        Self::Entities(Arc::new(register))
    }

    pub(crate) fn sql(sql: String) -> Self {
        let name = "Schema::sql".to_owned();
        Self::Sql(Arc::new(Text { name, sql }))
    }

    pub(crate) fn sql_dir(path: &Path) -> Self {
        Self::SqlFiles(Arc::new(SqlFiles::of_directory(path)))
    }

    pub(crate) fn scripts(paths: &[PathBuf]) -> Self {
        Self::SqlFiles(Arc::new(SqlFiles::listed(paths)))
    }

    #[cfg(feature = "sqlx")]
    pub(crate) fn sqlx(migrator: sqlx::migrate::Migrator) -> Self {
        Self::Sqlx(Arc::new(migrator))
    }

    #[cfg(feature = "sea-orm")]
    pub(crate) fn seed<F, E>(seed: F) -> Self
    where
        F: AsyncFn(&DatabaseConnection) -> Result<(), E> + Send + Sync + 'static,
        E: fmt::Display + 'static,
    {
        let name = Name::Seed(std::any::type_name::<F>());
        let (seed, called) = (Arc::new(seed), name.clone());
        Self::Code {
            kind: match size_of::<F>() {
                // All closures of one function have the same name.
                0 => kind::<F>(),
                _ => crate::schema::build_id::never_equal(),
            },
            captures: size_of::<F>() > 0,
            run: Arc::new(move |db| {
                let (seed, db) = (Arc::clone(&seed), db.connection().clone());
                Box::pin(run_code(called.clone(), seed, db))
            }),
            name,
        }
    }

    pub(crate) fn code<F, E>(name: String, code: F) -> Self
    where
        F: AsyncFn(&NewDatabase) -> Result<(), E> + Send + Sync + 'static,
        E: fmt::Display + 'static,
    {
        let name = Name::Given(name);
        let (code, called) = (Arc::new(code), name.clone());
        Self::Code {
            // The name stands for what it brings along.
            kind: kind::<F>(),
            captures: false,
            run: Arc::new(move |db| Box::pin(run_code(called.clone(), Arc::clone(&code), db))),
            name,
        }
    }

    pub(crate) async fn apply(&self, new: &NewDatabase) -> Result<(), Error> {
        let pool = new.pool();
        match self {
            #[cfg(feature = "sea-orm-migration")]
            Self::Migrations { run, .. } => self.migrate(*run, new).await,
            #[cfg(feature = "sea-orm")]
            Self::Entities(register) => {
                let db = new.connection();
                let made = register(db.get_schema_builder()).apply(db).await;
                let what = "the tables of `Schema::entities` could not be made";
                made.map_err(|error| failed_in_sea_orm(what, &error))
            }
            // Boxed, or the futures of callers nest deeper than the compiler looks.
            Self::Sql(text) => Box::pin(text.run(pool)).await,
            Self::SqlFiles(files) => Box::pin(files.run(pool)).await,
            #[cfg(feature = "sqlx")]
            Self::Sqlx(migrator) => crate::schema::sqlx_migrations::run(migrator, pool).await,
            Self::Code { run, .. } => run(new.clone()).await,
        }
    }

    /// Runs migrations. A statement that fails while they succeed is noted: what they send depends on it.
    #[cfg(feature = "sea-orm-migration")]
    async fn migrate(&self, run: Migrate, new: &NewDatabase) -> Result<(), Error> {
        let mut db = new.connection().clone();
        let failed = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&failed);
        db.set_metric_callback(move |statement| {
            seen.fetch_or(statement.failed, Ordering::Relaxed);
        });
        run(db).await?;
        if failed.load(Ordering::Relaxed)
            && let Some(dialect) = new.pool().dialect()
        {
            Kept::new(&self.identity(), dialect).refute();
        }
        Ok(())
    }

    /// Whether it may connect by itself, so that the database has to be one to which that is possible.
    #[cfg(feature = "sqlite")]
    pub(crate) fn may_connect(&self) -> bool {
        matches!(
            self,
            Self::Code {
                name: Name::Given(_),
                ..
            }
        )
    }

    /// What tells this step from others of the program if its name does not.
    pub(crate) fn kind(&self) -> Option<&str> {
        match self {
            Self::Code { kind, .. } => Some(kind),
            _ => None,
        }
    }

    /// Whether it does something that depends on values of which nothing is known.
    pub(crate) fn captures(&self) -> bool {
        matches!(self, Self::Code { captures: true, .. })
    }

    /// What tells this step from one that does something else, if all of it can be told.
    #[cfg_attr(
        not(feature = "sea-orm-migration"),
        expect(unused_variables, reason = "other steps are the same everywhere")
    )]
    pub(crate) async fn content(
        &self,
        dialect: &'static dyn Dialect,
        place: &Location<'static>,
    ) -> Option<String> {
        match self {
            #[cfg(feature = "sea-orm-migration")]
            Self::Migrations {
                migrator, record, ..
            } => {
                let bounds = Bounds::default();
                let tell = |what: &str| {
                    crate::schema::recorded_migrations::tell_out_of_bounds(
                        migrator,
                        &place.to_string(),
                        what,
                    );
                };
                Kept::new(&self.identity(), dialect)
                    .get_or_record(bounds, record(dialect, bounds), tell)
                    .await
            }
            // It is promised to run once, so it cannot be tried out.
            Self::Code { .. } => None,
            _ => Some(self.identity()),
        }
    }

    /// What tells this step from another one, for the digest.
    pub(crate) fn identity(&self) -> String {
        match self {
            #[cfg(feature = "sea-orm-migration")]
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
            Self::SqlFiles(files) => files.identity(),
            #[cfg(feature = "sqlx")]
            Self::Sqlx(migrator) => crate::schema::sqlx_migrations::identity(migrator),
            #[cfg(feature = "sea-orm")]
            Self::Code {
                name: Name::Seed(name),
                ..
            } => format!("seed {name}"),
            Self::Code {
                name: Name::Given(name),
                ..
            } => format!("run {name}"),
        }
    }
}

impl fmt::Debug for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            #[cfg(feature = "sea-orm-migration")]
            Self::Migrations {
                migrator, names, ..
            } => {
                write!(f, "{} migrations of {migrator}", names().len())
            }
            #[cfg(feature = "sea-orm")]
            Self::Entities(_) => f.write_str("entities"),
            Self::Sql(text) => write!(f, "sql of {} bytes", text.sql.len()),
            Self::SqlFiles(files) => write!(f, "files of {}", files.name),
            #[cfg(feature = "sqlx")]
            Self::Sqlx(migrator) => write!(f, "{} migrations of sqlx", migrator.iter().count()),
            Self::Code { name, .. } => write!(f, "{name}"),
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
            std::any::type_name::<M>()
        ),
        None => format!(
            "the migrations of `{}` could not be read or recorded",
            std::any::type_name::<M>()
        ),
    };
    Err(failed_in_sea_orm(what, &error)
        .help("correct its `up`; the template is built afresh in the next run"))
}

fn kind<F: 'static>() -> String {
    format!("{:?}", TypeId::of::<F>())
}

/// Runs the function on a thread that may block, where its future need not be `Send`.
async fn run_code<F, A, E>(name: Name, code: Arc<F>, db: A) -> Result<(), Error>
where
    F: AsyncFn(&A) -> Result<(), E> + Send + Sync + 'static,
    A: Send + 'static,
    E: fmt::Display + 'static,
{
    let runtime = tokio::runtime::Handle::current();
    let run = move || {
        runtime
            .block_on((*code)(&db))
            .map_err(|error| error.to_string())
    };
    match tokio::task::spawn_blocking(run).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(message)) => Err(Error::new(Kind::Schema, format!("{name} failed"))
            .help(match name {
                #[cfg(feature = "sea-orm")]
                Name::Seed(_) => "a seed runs once, on the database its schema has just made",
                Name::Given(_) => {
                    "it runs once, on a new database in which the steps before it have run"
                }
            })
            .because(message)),
        // A panic has its own message and place already: it goes on as it is.
        Err(ended) if ended.is_panic() => panic::resume_unwind(ended.into_panic()),
        Err(ended) => Err(Error::new(Kind::Schema, format!("{name} was cancelled"))
            .help("the runtime shut down while the template was being built")
            .because(ended)),
    }
}

#[cfg(feature = "sea-orm")]
pub(crate) fn failed_in_sea_orm(what: impl Into<String>, error: &DbErr) -> Error {
    // SeaORM repeats its source in its own text; the driver's alone says what is wrong.
    match error {
        DbErr::Exec(cause) | DbErr::Query(cause) | DbErr::Conn(cause) => failed(what, cause),
        other => failed(what, other),
    }
}

pub(crate) fn failed(what: impl Into<String>, error: &dyn fmt::Display) -> Error {
    Error::new(Kind::Schema, what).because(error.to_string())
}
