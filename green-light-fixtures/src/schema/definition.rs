//! The schema itself: its steps, in the order they were given.

use std::{fmt, panic::Location, path::Path, sync::Arc};

use crate::digest::short_digest;
use crate::error::Error;
use crate::schema::code::Code;
use crate::schema::new_database::NewDatabase;
use crate::schema::sql_directory::SqlFiles;
use crate::schema::sql_files::Script;
use crate::schema::step::Step;
use crate::sql::dialect::Dialect;

/// What a database holds before any test runs.
///
/// # Examples
///
/// ```
/// use green_light_fixtures::Schema;
/// use sea_orm::{ConnectionTrait, DatabaseConnection, DbErr};
///
/// async fn reference_rows(db: &DatabaseConnection) -> Result<(), DbErr> {
///     db.execute_unprepared("INSERT INTO country (code) VALUES ('fr'), ('de')").await?;
///     Ok(())
/// }
///
/// let schema = Schema::sql("CREATE TABLE country (code TEXT PRIMARY KEY)").seed(reference_rows);
/// ```
#[derive(Clone)]
pub struct Schema {
    parts: Arc<Vec<Part>>,
    key: Option<Arc<str>>,
    place: &'static Location<'static>,
}

/// A step, with the key and the place of the schema that it was first a step of.
#[derive(Clone)]
struct Part {
    step: Arc<dyn Step>,
    key: Option<Arc<str>>,
    place: &'static Location<'static>,
}

impl Schema {
    /// A database without tables.
    #[must_use]
    #[track_caller]
    pub fn empty() -> Self {
        Self {
            parts: Arc::default(),
            key: None,
            place: Location::caller(),
        }
    }

    /// Whether it makes nothing.
    pub(crate) fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// The tables made by the statements of `sql`, separated by `;`.
    ///
    /// Comments, quoted text and the bodies of triggers, procedures and functions may hold `;` as well,
    /// and MySQL's `DELIMITER` is understood: what `pg_dump --inserts`, `mysqldump`, `mariadb-dump` and
    /// `.dump` write can be given as it is. The text runs on a connection of its own.
    #[must_use]
    #[track_caller]
    pub fn sql(sql: impl Into<String>) -> Self {
        Self::empty().with(Script {
            name: "Schema::sql".to_owned(),
            sql: sql.into(),
        })
    }

    /// The tables made by the `.sql` files in the directory `path`, in the order of the numbers with
    /// which their names begin, then of their names.
    ///
    /// A relative path begins at the directory of the package's `Cargo.toml`, where cargo runs tests.
    /// Files that end in `.down.sql` are left out. The files are read here and now; one that cannot be
    /// read is the engine's error.
    ///
    /// ```
    /// use green_light_fixtures::Schema;
    ///
    /// let schema = Schema::sql_dir("schema");
    /// ```
    #[must_use]
    #[track_caller]
    pub fn sql_dir(path: impl AsRef<Path>) -> Self {
        Self::empty().with(SqlFiles::of_directory(path.as_ref()))
    }

    /// The tables and rows made by the `.sql` files at `paths`, in this order.
    ///
    /// Paths begin where those of [`sql_dir`](Self::sql_dir) do. What has to be there in some tests
    /// only is better run by a fixture: `green_light::sql_fixtures!` makes one of each file.
    ///
    /// ```
    /// use green_light_fixtures::Schema;
    ///
    /// let schema = Schema::sql_dir("migrations").then(Schema::scripts(["fixtures/users.sql"]));
    /// ```
    #[must_use]
    #[track_caller]
    pub fn scripts<P: AsRef<Path>>(paths: impl IntoIterator<Item = P>) -> Self {
        let paths: Vec<_> = paths
            .into_iter()
            .map(|path| path.as_ref().to_owned())
            .collect();
        Self::empty().with(SqlFiles::listed(&paths))
    }

    /// What the async function or closure `code` makes, by any driver.
    ///
    /// It gets the [`NewDatabase`]: SeaORM's connection, the pool of sqlx, and the URL for everything
    /// else, such as the migrations of Diesel or refinery. `name` is for errors.
    ///
    /// As with a [`seed`](Self::seed), nothing tells what is in it: each build of the test program makes
    /// a template of its own, unless there is a [`key`](Self::key). Two closures that differ only in
    /// values they have captured need different names.
    ///
    /// ```
    /// use green_light_fixtures::Schema;
    /// # mod shop { pub async fn migrate(_: &str) -> Result<(), String> { Ok(()) } }
    ///
    /// let schema = Schema::run("shop", async |db| shop::migrate(db.url().expose()).await);
    /// ```
    ///
    /// # Errors
    ///
    /// What it returns is the engine's error, with `name`. A panic goes on as it is.
    #[must_use]
    #[track_caller]
    pub fn run<F, E>(name: impl Into<String>, code: F) -> Self
    where
        F: AsyncFn(&NewDatabase) -> Result<(), E> + Send + Sync + 'static,
        E: fmt::Display + 'static,
    {
        Self::empty().with(Code::named(&name.into(), code))
    }

    /// Also runs the steps of `next`, after those that are there.
    ///
    /// A [`key`](Self::key) of `next` stands for its steps alone, one of the whole for all of them.
    ///
    /// ```
    /// use green_light_fixtures::Schema;
    ///
    /// let rows = Schema::run("rows", async |db| {
    ///     let url = db.url().expose();
    ///     // What connects by itself has the URL.
    ///     # let _ = url;
    ///     Ok::<_, String>(())
    /// });
    /// let schema = Schema::sql_dir("migrations").then(rows.key("1"));
    /// ```
    #[must_use]
    pub fn then(mut self, next: Self) -> Self {
        let Self { parts, key, .. } = next;
        let parts = Arc::unwrap_or_clone(parts).into_iter().map(|part| Part {
            key: key.clone().or(part.key),
            ..part
        });
        Arc::make_mut(&mut self.parts).extend(parts);
        self
    }

    /// Also counts `key` when schemas are compared, for what their text does not show.
    ///
    /// Templates are kept between runs, and one is used again only if the schema is the same. SQL and
    /// entities are compared by their text, and migrations by the statements that they send. To read
    /// those, each `up` runs once for each build of the test program on a connection that executes
    /// nothing, up to the first statement of which only a database knows what it does: a query, an
    /// `UPDATE`, `DELETE` or `INSERT .. SELECT`, the use of a key that an `INSERT` has made. It has two
    /// seconds and 10,000 statements for that. What it comes to is kept, so a program that has run once
    /// runs no `up` any more as long as the template is there.
    ///
    /// A seed, what [`run`](Self::run) runs, and a migration with such a statement are compiled code of
    /// which nothing is known. With these, each build of the test program makes a template of its own,
    /// unless there is a key; then changing the key is up to you. A seed that captures values says
    /// nothing of them: without a key, its template is used by this one schema alone.
    ///
    /// What a migration takes from a variable, a file or the clock when it runs is not compared. Put it
    /// into the key, or build the template again by `GREEN_LIGHT_REBUILD=1`. Nor is what it does when a
    /// statement of `execute_unprepared` has failed; after other statements that fail while it goes on,
    /// each build of the test program makes a template of its own. What it does besides sending
    /// statements is done once more, when its statements are read.
    #[must_use]
    pub fn key(mut self, key: impl Into<String>) -> Self {
        self.key = Some(key.into().into());
        self
    }

    pub(crate) fn with(mut self, step: impl Step + 'static) -> Self {
        let place = self.place;
        Arc::make_mut(&mut self.parts).push(Part {
            step: Arc::new(step),
            key: None,
            place,
        });
        self
    }

    /// Where the schema was made.
    pub(crate) fn place(&self) -> &'static Location<'static> {
        self.place
    }

    /// Runs every step on `db`.
    pub(crate) async fn apply(&self, db: &NewDatabase) -> Result<(), Error> {
        for part in self.parts.iter() {
            let applied = part.step.apply(db).await;
            applied.map_err(|error| error.at(part.place))?;
        }
        Ok(())
    }

    /// Whether a step may connect by itself.
    #[allow(dead_code, reason = "all can connect to a server")]
    pub(crate) fn may_connect(&self) -> bool {
        self.parts.iter().any(|part| part.step.may_connect())
    }

    /// The steps that have no key.
    fn without_key(&self) -> impl Iterator<Item = &dyn Step> {
        let parts = self.parts.iter().filter(|part| !self.has_key(part));
        parts.map(|part| &*part.step)
    }

    fn has_key(&self, part: &Part) -> bool {
        self.key.is_some() || part.key.is_some()
    }

    /// A short name for what the schema holds: equal schemas have equal digests.
    pub(crate) fn digest(&self) -> String {
        let key = self.key.as_deref().unwrap_or_default();
        let mut digested = vec![key.to_owned()];
        for part in self.parts.iter() {
            digested.extend(part.key.as_deref().map(|key| format!("key {key}")));
            digested.push(part.step.identity());
        }
        short_digest(digested)
    }

    /// As [`digest`](Self::digest), for a template that outlives the process.
    ///
    /// Migrations are compared by the statements that they send. A seed, or a migration of which those are not known,
    /// is compared by the key; without a key, another build of the program is another schema, and one whose seed
    /// captures values is [another each time](Self::is_uncacheable).
    pub(crate) async fn persistent_digest(
        &self,
        dialect: &'static dyn Dialect,
        build_id: fn() -> String,
    ) -> String {
        let mut parts = vec![self.digest()];
        let mut complete = true;
        for part in self.parts.iter() {
            match part.step.content_digest_input(dialect, part.place).await {
                Some(content) => parts.push(content),
                None => complete &= self.has_key(part),
            }
        }
        if !complete {
            parts.push(build_id());
        }
        let kinds = self.without_key().filter_map(|step| step.type_identity());
        parts.extend(kinds.map(str::to_owned));
        short_digest(parts)
    }

    /// Whether no other schema is equal to this one: a seed captures values, and there is no key that stands for them.
    #[allow(
        dead_code,
        reason = "on a server its digest, which no other has, is enough"
    )]
    pub(crate) fn is_uncacheable(&self) -> bool {
        self.without_key().any(|step| step.captures())
    }
}

impl Default for Schema {
    #[track_caller]
    fn default() -> Self {
        Self::empty()
    }
}

impl fmt::Debug for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Schema")
            .field("steps", &self.parts)
            .field("key", &self.key)
            .field("made_at", &self.place.to_string())
            .finish()
    }
}

impl fmt::Debug for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.step.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use sea_orm::DatabaseConnection;

    use super::*;

    #[test]
    fn the_digest_follows_what_the_schema_holds() {
        let one = Schema::sql("CREATE TABLE a (id INTEGER)");
        assert_eq!(
            one.digest(),
            Schema::sql("CREATE TABLE a (id INTEGER)").digest()
        );
        assert_ne!(
            one.digest(),
            Schema::sql("CREATE TABLE b (id INTEGER)").digest()
        );
        assert_ne!(one.digest(), one.clone().key("2").digest());
        assert_ne!(one.digest(), Schema::empty().digest());
    }

    #[test]
    fn debug_names_the_steps_and_the_place() {
        let schema = Schema::sql("SELECT 1; SELECT 2")
            .seed(async |_: &DatabaseConnection| Ok::<(), String>(()));
        let shown = format!("{schema:?}");
        assert!(shown.contains("sql of 18 bytes"), "{shown}");
        assert!(shown.contains("seed"), "{shown}");
        assert!(shown.contains("definition.rs:"), "{shown}");
    }

    mod persistent {
        use std::sync::atomic::{AtomicUsize, Ordering};

        use sea_orm::{ConnectionTrait as _, DbErr};
        use sea_orm_migration::prelude::*;

        use super::*;
        use crate::postgres::dialect::PostgresDialect;
        use crate::schema::migrations::recorder::{Bounds, Recorded};
        use crate::server::build_id::content_id;

        static VERSION: AtomicUsize = AtomicUsize::new(0);

        struct Edited;

        impl MigrationName for Edited {
            fn name(&self) -> &str {
                "m1_edited"
            }
        }

        #[async_trait::async_trait]
        impl MigrationTrait for Edited {
            async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
                let sql = ["CREATE TABLE a (x INT)", "CREATE TABLE a (y INT)"];
                let sql = sql[VERSION.load(Ordering::Relaxed)];
                manager.get_connection().execute_unprepared(sql).await?;
                Ok(())
            }
        }

        impl MigratorTrait for Edited {
            fn migrations() -> Vec<Box<dyn MigrationTrait>> {
                vec![Box::new(Edited)]
            }
        }

        async fn digest(schema: &Schema) -> String {
            schema.persistent_digest(&PostgresDialect, content_id).await
        }

        #[tokio::test]
        async fn migrations_count_by_what_they_send_and_are_run_for_it_once() {
            let recorded = || {
                crate::schema::migrations::recorder::record::<Edited>(
                    &PostgresDialect,
                    Bounds::default(),
                )
            };
            let Recorded::Statements(sent) = recorded().await else {
                panic!("it sends one statement, and asks nothing");
            };
            for schema in [
                Schema::migrations::<Edited>(),
                Schema::migrations::<Edited>().key("1"),
            ] {
                let expected = short_digest([&schema.digest(), &sent]);
                assert_eq!(digest(&schema).await, expected);
            }
            VERSION.store(1, Ordering::Relaxed);
            assert_ne!(recorded().await, Recorded::Statements(sent.clone()));
            let schema = Schema::migrations::<Edited>();
            let kept = short_digest([&schema.digest(), &sent]);
            assert_eq!(
                digest(&schema).await,
                kept,
                "this program has recorded them"
            );
        }

        #[tokio::test]
        async fn a_seed_counts_by_its_key_or_by_the_program_it_is_in() {
            let seed = async |_: &DatabaseConnection| Ok::<(), String>(());
            let schema = Schema::sql("SELECT 1").seed(seed);
            let program = content_id();
            let kind = schema.parts[1].step.type_identity().unwrap();
            let unkeyed = short_digest([&schema.digest(), "sql SELECT 1", &program, kind]);
            assert_eq!(digest(&schema).await, unkeyed);
            let (one, two) = (schema.clone().key("1"), schema.key("2"));
            assert_eq!(
                digest(&one).await,
                short_digest([&*one.digest(), "sql SELECT 1"])
            );
            assert_ne!(digest(&one).await, digest(&two).await);
        }

        #[tokio::test]
        async fn seeds_that_look_alike_are_told_apart() {
            let one = Schema::empty().seed(async |_: &DatabaseConnection| Ok::<(), String>(()));
            let two = Schema::empty().seed(async |_: &DatabaseConnection| Err::<(), _>("no"));
            assert_eq!(one.digest(), two.digest(), "they have the same name");
            assert_ne!(digest(&one).await, digest(&two).await);
            assert_eq!(digest(&one).await, digest(&one.clone()).await);
            assert!(!one.is_uncacheable());
            let rows = |rows: usize| {
                let seed = async move |_: &DatabaseConnection| Err::<(), _>(rows.to_string());
                Schema::empty().seed(seed)
            };
            assert!(rows(1).is_uncacheable() && !rows(1).key("1 row").is_uncacheable());
            assert_ne!(digest(&rows(1)).await, digest(&rows(2)).await);
        }
    }
}
