//! Migrations of sqlx, as `sqlx::migrate!` embeds them.

use std::fmt::Write as _;

use sqlx::migrate::{MigrateError, Migrator};

use crate::database_pool::DatabasePool;
use crate::error::{Error, Kind};

/// Runs those that have not run on `db`.
pub(crate) async fn run(migrator: &Migrator, db: &DatabasePool) -> Result<(), Error> {
    db.migrate(migrator).await.map_err(|error| {
        let (what, cause) = match error {
            MigrateError::ExecuteMigration(cause, version) => (describe(migrator, version), cause),
            other => {
                let what = "the migrations of `Schema::sqlx` could not be run".to_owned();
                return Error::new(Kind::Schema, what).because(other);
            }
        };
        // sqlx says `error returned from database: ` first.
        let cause = match cause.into_database_error() {
            Some(cause) => cause.message().to_owned(),
            None => "the connection failed".to_owned(),
        };
        Error::new(Kind::Schema, what)
            .because(cause)
            .help("correct its SQL; the template is built afresh in the next run")
    })
}

fn describe(migrator: &Migrator, version: i64) -> String {
    let found = migrator.iter().find(|one| one.version == version);
    let description = found.map_or("", |migration| &*migration.description);
    format!("migration {version} (`{description}`) of `Schema::sqlx` failed")
}

/// Every byte of them counts, by way of sqlx's own checksums.
pub(crate) fn identity(migrator: &Migrator) -> String {
    let mut identity = format!("sqlx {}", migrator.table_name);
    for migration in migrator.iter() {
        let _ = write!(
            identity,
            "\n{} {:02x?}",
            migration.version, migration.checksum
        );
    }
    identity
}
