//! The step that runs migrations of SeaORM.

use std::{
    any::type_name,
    fmt,
    marker::PhantomData,
    panic::Location,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use sea_orm::DatabaseConnection;
use sea_orm_migration::MigratorTrait;

use crate::database_pool::BoxFuture;
use crate::error::Error;
use crate::schema::definition::Schema;
use crate::schema::entities::failed_in_sea_orm;
use crate::schema::migrations::recorded::{Kept, tell_out_of_bounds};
use crate::schema::migrations::recorder::{Bounds, record};
use crate::schema::new_database::NewDatabase;
use crate::schema::step::Step;
use crate::sql::dialect::Dialect;

impl Schema {
    /// The tables made by the migrations of `M`, applied in order.
    ///
    /// Needs the feature `sea-orm-migration`. That crate turns on the default features of sea-orm, so the
    /// feature is for projects that depend on it anyway.
    #[must_use]
    #[track_caller]
    pub fn migrations<M: MigratorTrait + 'static>() -> Self {
        Self::empty().with(Migrations::<M>(PhantomData))
    }
}

struct Migrations<M>(PhantomData<fn() -> M>);

impl<M: MigratorTrait + 'static> Step for Migrations<M> {
    /// A statement that fails while they succeed is noted: what they send depends on it.
    fn apply<'a>(&'a self, new: &'a NewDatabase) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(async {
            let mut db = new.connection().clone();
            let failed = Arc::new(AtomicBool::new(false));
            let seen = Arc::clone(&failed);
            db.set_metric_callback(move |statement| {
                seen.fetch_or(statement.failed, Ordering::Relaxed);
            });
            migrate::<M>(db).await?;
            if failed.load(Ordering::Relaxed)
                && let Some(dialect) = new.pool().dialect()
            {
                Kept::new(&self.identity(), dialect).refute();
            }
            Ok(())
        })
    }

    fn identity(&self) -> String {
        let migrations = M::migrations();
        let names: Vec<_> = migrations.iter().map(|m| m.name()).collect();
        format!("migrations {} {}", type_name::<M>(), names.join(" "))
    }

    fn content_digest_input<'a>(
        &'a self,
        dialect: &'static dyn Dialect,
        place: &'static Location<'static>,
    ) -> BoxFuture<'a, Option<String>> {
        let bounds = Bounds::default();
        let tell = |what: &str| tell_out_of_bounds(type_name::<M>(), &place.to_string(), what);
        Box::pin(async move {
            Kept::new(&self.identity(), dialect)
                .get_or_record(bounds, record::<M>(dialect, bounds), tell)
                .await
        })
    }
}

impl<M: MigratorTrait> fmt::Debug for Migrations<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = M::migrations().len();
        write!(f, "{count} migrations of {}", type_name::<M>())
    }
}

async fn migrate<M: MigratorTrait>(db: DatabaseConnection) -> Result<(), Error> {
    let Err(error) = M::up(&db, None).await else {
        return Ok(());
    };
    // A migration is recorded once it has succeeded, so the first pending one is the one that failed.
    let pending = M::get_pending_migrations(&db).await.unwrap_or_default();
    let migrator = type_name::<M>();
    let what = match pending.first() {
        Some(migration) => format!("migration `{}` of `{migrator}` failed", migration.name()),
        None => format!("the migrations of `{migrator}` could not be read or recorded"),
    };
    Err(failed_in_sea_orm(what, &error)
        .help("correct its `up`; the template is built afresh in the next run"))
}
