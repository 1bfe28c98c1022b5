//! Steps by means of SeaORM: the tables of entities, and seeds.

use std::{any::type_name, fmt, ops::Deref};

use sea_orm::{DatabaseConnection, DbErr, SchemaBuilder};

use crate::backend::Backend;
use crate::database_pool::BoxFuture;
use crate::error::Error;
use crate::schema::build_id;
use crate::schema::code::Code;
use crate::schema::definition::Schema;
use crate::schema::new_database::NewDatabase;
use crate::schema::step::{Step, failed};

impl Schema {
    /// The tables of the registered entities, made by SeaORM's schema builder.
    ///
    /// ```
    /// # mod author {
    /// #     use sea_orm::entity::prelude::*;
    /// #     #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    /// #     #[sea_orm(table_name = "author")]
    /// #     pub struct Model { #[sea_orm(primary_key)] pub id: i32, pub name: String }
    /// #     #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    /// #     pub enum Relation {}
    /// #     impl ActiveModelBehavior for ActiveModel {}
    /// # }
    /// use green_light_fixtures::Schema;
    ///
    /// let schema = Schema::entities(|tables| tables.register(author::Entity));
    /// ```
    #[must_use]
    #[track_caller]
    pub fn entities<F>(register: F) -> Self
    where
        F: Fn(SchemaBuilder) -> SchemaBuilder + Send + Sync + 'static,
    {
        Self::empty().with(Entities(register))
    }

    /// Also runs `seed`, an async function or closure, once the steps before it have run.
    ///
    /// Its rows are part of the template: every test finds them, and no test can change them for
    /// another. It runs once for a template, not once for a test, and templates are kept: see
    /// [`key`](Self::key). One that connects by itself gets the URL from [`run`](Self::run), added by
    /// [`then`](Self::then).
    #[must_use]
    pub fn seed<F, E>(self, seed: F) -> Self
    where
        F: AsyncFn(&DatabaseConnection) -> Result<(), E> + Send + Sync + 'static,
        E: fmt::Display + 'static,
    {
        self.with(Code::seed(seed, |new| new.connection().clone()))
    }
}

impl NewDatabase {
    /// SeaORM's connection to it.
    #[must_use]
    pub fn connection(&self) -> &DatabaseConnection {
        &self.connection
    }
}

impl Deref for NewDatabase {
    type Target = DatabaseConnection;

    fn deref(&self) -> &DatabaseConnection {
        &self.connection
    }
}

impl Code {
    /// A function that gets what `argument` makes of the new database, and is called by the name of its type.
    fn seed<F, A, E>(seed: F, argument: fn(&NewDatabase) -> A) -> Self
    where
        F: AsyncFn(&A) -> Result<(), E> + Send + Sync + 'static,
        A: Send + 'static,
        E: fmt::Display + 'static,
    {
        const HELP: &str = "a seed runs once, on the database its schema has just made";
        let called = format!("the seed `{}`", type_name::<F>());
        let mut seed = Self::new(called, HELP, seed, argument);
        if size_of::<F>() > 0 {
            seed.captures = true;
            seed.type_identity = build_id::never_equal();
        }
        seed
    }
}

struct Entities<F>(F);

impl<F> Step for Entities<F>
where
    F: Fn(SchemaBuilder) -> SchemaBuilder + Send + Sync,
{
    fn apply<'a>(&'a self, new: &'a NewDatabase) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(async {
            let db = new.connection();
            let made = (self.0)(db.get_schema_builder()).apply(db).await;
            let what = "the tables of `Schema::entities` could not be made";
            made.map_err(|error| failed_in_sea_orm(what, &error))
        })
    }

    fn identity(&self) -> String {
        let builder = SchemaBuilder::new(sea_orm::Schema::new(Backend::default().dialect()));
        format!("entities {:?}", (self.0)(builder))
    }
}

impl<F> fmt::Debug for Entities<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("entities")
    }
}

pub(crate) fn failed_in_sea_orm(what: impl Into<String>, error: &DbErr) -> Error {
    // SeaORM repeats its source in its own text; the driver's alone says what is wrong.
    match error {
        DbErr::Exec(cause) | DbErr::Query(cause) | DbErr::Conn(cause) => failed(what, cause),
        other => failed(what, other),
    }
}
