//! Migrations of sqlx, as `sqlx::migrate!` embeds them.

use std::fmt::{self, Write as _};

use sqlx::{
    AssertSqlSafe, SqlSafeStr as _,
    migrate::{MigrateError, Migrator},
};

use crate::database_pool::{BoxFuture, DatabasePool};
use crate::databases::with_databases;
use crate::error::{Error, Kind};
use crate::schema::definition::Schema;
use crate::schema::new_database::NewDatabase;
use crate::schema::step::Step;
use crate::sql::dialect::Dialect;
use crate::sql::split::statements;

impl Schema {
    /// The tables made by migrations of sqlx, as `sqlx::migrate!()` embeds them.
    ///
    /// ```
    /// # // The migrations of this crate are those of its tests.
    /// # macro_rules! of_the_tests { ($path:literal) => { ::sqlx::migrate!("tests/migrations") } }
    /// # mod sqlx { pub(crate) use of_the_tests as migrate; }
    /// # fn main() {
    /// use green_light_fixtures::Schema;
    ///
    /// let schema = Schema::sqlx(sqlx::migrate!("./migrations"));
    /// # }
    /// ```
    ///
    /// The macro needs the features `macros` and `migrate` of sqlx, and a `build.rs` with
    /// `println!("cargo:rerun-if-changed=migrations")`, which tells cargo of files that are new. A template
    /// is built again when any byte of a migration has changed.
    ///
    /// Migrations may come from elsewhere:
    ///
    /// ```
    /// use std::borrow::Cow;
    ///
    /// use green_light_fixtures::Schema;
    /// use sqlx::migrate::{Migration, MigrationType, Migrator};
    /// use sqlx::{AssertSqlSafe, SqlSafeStr};
    ///
    /// let migrations = vec![Migration::new(
    ///     1,
    ///     Cow::Borrowed("books"),
    ///     MigrationType::Simple,
    ///     AssertSqlSafe("CREATE TABLE book (title TEXT)").into_sql_str(),
    ///     false,
    /// )];
    /// let schema = Schema::sqlx(Migrator { migrations: Cow::Owned(migrations), ..Migrator::DEFAULT });
    /// ```
    #[must_use]
    #[track_caller]
    pub fn sqlx(migrator: Migrator) -> Self {
        Self::empty().with(SqlxMigrations(migrator))
    }
}

struct SqlxMigrations(Migrator);

impl Step for SqlxMigrations {
    fn apply<'a>(&'a self, new: &'a NewDatabase) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(run(&self.0, new.pool()))
    }

    fn identity(&self) -> String {
        identity(&self.0)
    }
}

impl fmt::Debug for SqlxMigrations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} migrations of sqlx", self.0.iter().count())
    }
}

/// Runs those that have not run on `db`.
async fn run(migrator: &Migrator, db: &DatabasePool) -> Result<(), Error> {
    let repeatable = db.dialect().map(|dialect| repeatable(migrator, dialect));
    let migrator = repeatable.as_ref().unwrap_or(migrator);
    run_pending(migrator, db).await.map_err(|error| {
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

/// The same in words that can run again on one server. Their checksums stay.
fn repeatable(migrator: &Migrator, dialect: &'static dyn Dialect) -> Migrator {
    let migrations = migrator.migrations.iter().cloned().map(|mut migration| {
        if let Some(sql) = repeatable_text(migration.sql.as_str(), dialect) {
            migration.sql = AssertSqlSafe(sql).into_sql_str();
        }
        migration
    });
    Migrator {
        migrations: migrations.collect(),
        ignore_missing: migrator.ignore_missing,
        locking: migrator.locking,
        no_tx: migrator.no_tx,
        table_name: migrator.table_name.clone(),
        create_schemas: migrator.create_schemas.clone(),
    }
}

/// Nothing if it is in such words already.
fn repeatable_text(sql: &str, dialect: &'static dyn Dialect) -> Option<String> {
    let statements = statements(sql, dialect).ok()?;
    let others: Vec<_> = statements
        .iter()
        .map(|s| dialect.repeatable(s.text))
        .collect();
    others.iter().any(Option::is_some).then(|| {
        let texts = statements.iter().zip(others);
        let texts = texts.map(|(statement, other)| other.unwrap_or(statement.text.to_owned()));
        texts.collect::<Vec<_>>().join(";\n")
    })
}

macro_rules! run_pending {
    ($(#[$is_on:meta] $_folder:ident, $database:ident, $_name:literal, $_method:ident, $_pool:ident, $_connection:ident;)*) => {
        async fn run_pending(migrator: &Migrator, db: &DatabasePool) -> Result<(), MigrateError> {
            $(
                #[$is_on]
                if let Some(pool) = db.of::<sqlx::$database>() {
                    return migrator.run(pool).await;
                }
            )*
            Err(sqlx::Error::PoolClosed.into())
        }
    };
}

with_databases!(run_pending);

fn describe(migrator: &Migrator, version: i64) -> String {
    let found = migrator.iter().find(|one| one.version == version);
    let description = found.map_or("", |migration| &*migration.description);
    format!("migration {version} (`{description}`) of `Schema::sqlx` failed")
}

/// Every byte of them counts, by way of sqlx's own checksums.
fn identity(migrator: &Migrator) -> String {
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
