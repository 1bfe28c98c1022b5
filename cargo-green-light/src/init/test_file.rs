//! The text of the first test.

use cargo_metadata::Package;
use green_light_fixtures::Backend;

use crate::init::database;
use crate::init::member;
use crate::init::tables::{Source, Tables};

/// The file that `init` writes: what the database holds, and a test that uses it.
pub(crate) fn text(
    package: &Package,
    tables: &Tables,
    backend: Backend,
    names_backend: bool,
) -> String {
    let first = match member::depends_on(package, "sea-orm") {
        true => with_sea_orm(tables),
        false => with_sqlx(tables, backend),
    };
    let backend = match names_backend {
        false => String::new(),
        true => format!(
            "/// The features of several databases are on, and these tests are for {}.\n\
             #[fixture(overrides = green_light::fixtures::backend)]\n\
             fn backend() -> Backend {{\n    Backend::{backend:?}\n}}\n\n",
            database::name(backend)
        ),
    };
    format!(
        "//! Tests with a database. `cargo green-light init` has written the beginning.\n\n\
         use green_light::prelude::*;\n{}\n\
         /// What the database of each test holds when the test begins.\n\
         #[fixture(overrides = green_light::fixtures::schema)]\n\
         fn schema() -> Schema {{\n{}}}\n\n\
         {backend}{}",
        first.imports,
        schema(tables),
        first.code
    )
}

struct Test {
    imports: String,
    code: String,
}

fn schema(tables: &Tables) -> String {
    match &tables.source {
        Source::Migrator(name) => format!("    Schema::migrations::<{name}>()\n"),
        Source::Sql { path, by_macro, .. } => match (*by_macro, path.as_str()) {
            (true, "migrations") => "    Schema::sqlx(sqlx::migrate!())\n".to_owned(),
            (true, path) => format!("    Schema::sqlx(sqlx::migrate!(\"{path}\"))\n"),
            (false, path) => format!("    Schema::sql_dir(\"{path}\")\n"),
        },
        Source::Entities => match &tables.entities[..] {
            [only] => format!("    Schema::entities(|tables| tables.register({only}::Entity))\n"),
            all => {
                let lines = all.iter();
                let lines = lines.map(|name| format!("            .register({name}::Entity)\n"));
                let lines: String = lines.collect();
                format!("    Schema::entities(|tables| {{\n        tables\n{lines}    }})\n")
            }
        },
    }
}

fn with_sea_orm(tables: &Tables) -> Test {
    let entity = tables.entities.first();
    let test = |name: &str, about: &str, body: &str| {
        format!(
            "/// {about}\n#[green_light::test]\nasync fn {name}(session: Session) -> Result<(), DbErr> {{\n{body}    Ok(())\n}}\n"
        )
    };
    match (&tables.source, entity) {
        (Source::Entities, Some(path)) => {
            let name = last(path);
            Test {
                imports: "use sea_orm::{DbErr, EntityTrait, PaginatorTrait};\n".to_owned(),
                code: test(
                    &format!("{name}_is_empty"),
                    "Whatever a test writes is gone when it ends: each begins with empty tables.",
                    &format!(
                        "    let count = {path}::Entity::find().count(&session).await?;\n    assert_eq!(count, 0);\n"
                    ),
                ),
            }
        }
        (_, Some(path)) => {
            let name = last(path);
            Test {
                imports: "use sea_orm::{DbErr, EntityTrait};\n".to_owned(),
                code: test(
                    &format!("the_migrations_fit_{name}"),
                    "The migrations have made the table and all columns of the entity.",
                    &format!("    {path}::Entity::find().one(&session).await?;\n"),
                ),
            }
        }
        (source, None) => {
            let (name, table) = match source {
                Source::Sql { tables, .. } => match tables.first() {
                    Some(table) => (
                        format!("the_table_{}_is_there", identifier(&table.name)),
                        Some(table.name.clone()),
                    ),
                    None => ("the_migrations_have_run".to_owned(), None),
                },
                _ => (
                    "the_migrations_have_run".to_owned(),
                    Some("seaql_migrations".to_owned()),
                ),
            };
            let query = table.map_or("SELECT 1".to_owned(), |table| {
                format!("SELECT count(*) FROM {table}")
            });
            Test {
                imports: "use sea_orm::{ConnectionTrait, DbErr};\n".to_owned(),
                code: test(
                    &name,
                    "Whatever a test writes is gone when it ends: each begins with what the migrations have made.",
                    &format!(
                        "    session.execute_unprepared({}).await?;\n",
                        quoted(&query)
                    ),
                ),
            }
        }
    }
}

fn with_sqlx(tables: &Tables, backend: Backend) -> Test {
    let (pool, parameter) = match backend {
        Backend::Sqlite => ("SqlitePool", "sqlite_pool"),
        Backend::MySql => ("MySqlPool", "mysql_pool"),
        _ => ("PgPool", "pg_pool"),
    };
    let known: &[_] = match &tables.source {
        Source::Sql { tables, .. } => tables,
        _ => &[],
    };
    let empty = known.iter().find(|table| !table.has_rows);
    let (name, about, body) = match (empty, known.first()) {
        (Some(table), _) => (
            format!("{}_is_empty", identifier(&table.name)),
            "Whatever a test writes is gone when it ends: each begins with what the migrations have made.",
            format!(
                "    let count: i64 = sqlx::query_scalar({})\n        .fetch_one(&{parameter})\n        .await?;\n    assert_eq!(count, 0);\n",
                quoted(&format!("SELECT count(*) FROM {}", table.name))
            ),
        ),
        (None, Some(table)) => (
            format!("the_table_{}_is_there", identifier(&table.name)),
            "Each test begins with the tables and rows that the migrations have made.",
            format!(
                "    sqlx::query({})\n        .fetch_optional(&{parameter})\n        .await?;\n",
                quoted(&format!("SELECT * FROM {}", table.name))
            ),
        ),
        (None, None) => (
            "the_migrations_have_run".to_owned(),
            "Each test begins with what the migrations have made.",
            format!("    sqlx::query(\"SELECT 1\").execute(&{parameter}).await?;\n"),
        ),
    };
    Test {
        imports: format!("use sqlx::{pool};\n"),
        code: format!(
            "/// {about}\n#[green_light::test]\nasync fn {name}({parameter}: {pool}) -> sqlx::Result<()> {{\n{body}    Ok(())\n}}\n"
        ),
    }
}

/// The last part of a path, as a part of a name.
fn last(path: &str) -> String {
    identifier(
        path.rsplit("::")
            .next()
            .unwrap_or(path)
            .trim_start_matches("r#"),
    )
}

/// A text as a part of the name of a function.
fn identifier(text: &str) -> String {
    let plain = |letter: char| match letter.is_ascii_alphanumeric() {
        true => letter.to_ascii_lowercase(),
        false => '_',
    };
    let name: String = text.chars().map(plain).collect();
    let name = name.trim_matches('_');
    match name.starts_with(|letter: char| letter.is_ascii_digit()) {
        true => format!("table_{name}"),
        false => name.to_owned(),
    }
}

/// A literal of Rust.
fn quoted(text: &str) -> String {
    format!("{text:?}")
}
