//! Schemas from text, from files and from sqlx, on every database.

use std::{borrow::Cow, fs, path::Path};

use green_light_fixtures::{Backend, Engine, Error, Schema};
use sqlx::{
    AssertSqlSafe, SqlSafeStr as _,
    migrate::{Migration, MigrationType, Migrator},
};

use crate::support::{finish, number, run};

const BACKENDS: [Backend; 3] = [Backend::Sqlite, Backend::Postgres, Backend::MySql];

async fn engine(backend: Backend, schema: Schema) -> Result<Engine, Error> {
    Engine::builder()
        .backend(backend)
        .schema(schema)
        .build()
        .await
}

/// Why there is no engine whose schema is in `directory`.
fn refusal(directory: &Path) -> String {
    let schema = Schema::sql_dir(directory);
    run(engine(Backend::Sqlite, schema))
        .unwrap_err()
        .to_string()
}

async fn count(engine: &Engine, sql: &str) -> i64 {
    let test = engine.transaction().await.unwrap();
    let count = number(&test.connection(), sql).await;
    finish(test).await;
    count
}

#[test]
fn the_files_of_a_directory_run_in_the_order_of_their_numbers() {
    let directory = tempfile::tempdir().unwrap();
    for (name, sql) in [
        ("10_rows.sql", "INSERT INTO book VALUES (1, 'a;b');"),
        (
            "2_book.sql",
            "-- the shop\nCREATE TABLE book (id INT, title VARCHAR(9));",
        ),
        ("2_book.down.sql", "DROP TABLE book"),
    ] {
        fs::write(directory.path().join(name), sql).unwrap();
    }
    run(async {
        for backend in BACKENDS {
            let schema = Schema::sql_dir(directory.path());
            let engine = engine(backend, schema).await.unwrap();
            let sql = "SELECT count(*) FROM book WHERE title = 'a;b'";
            assert_eq!(count(&engine, sql).await, 1, "{backend}");
        }
    });
}

#[test]
fn a_failing_file_is_named_with_its_line() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("1_book.sql");
    run(async {
        for backend in BACKENDS {
            let fails = "CREATE TABLE fine (id INT);\n\nCREATE TABEL broken (id INT);";
            fs::write(&file, fails).unwrap();
            let error = engine(backend, Schema::sql_dir(directory.path())).await;
            let text = error.unwrap_err().to_string();
            let expected = format!(
                "statement 2 of 2 of `{}`, on its line 3, failed: `CREATE TABEL broken (id INT)`\n  \
                 in the schema made at {}",
                file.display(),
                file!(),
            );
            assert!(text.starts_with(&expected), "{backend}: {text}");
        }
        fs::write(&file, "SELECT 1;\n\\connect other\n").unwrap();
        let error = engine(Backend::Postgres, Schema::sql_dir(directory.path())).await;
        let text = error.unwrap_err().to_string();
        let expected = format!(
            "`\\connect other` of `{}`, on its line 2, is not SQL",
            file.display()
        );
        assert!(text.starts_with(&expected), "{text}");
        assert!(text.contains("help: only `psql` knows it"), "{text}");
    });
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("1.sql");
    fs::write(&file, b"INSERT INTO picture VALUES ('\xff\xd8')").unwrap();
    let binary = refusal(directory.path());
    assert!(
        binary.contains("1.sql` is not UTF-8; a dump with binary columns is with `--hex-blob`"),
        "{binary}"
    );
    fs::remove_file(&file).unwrap();
    fs::create_dir(&file).unwrap();
    let unreadable = refusal(directory.path());
    assert!(unreadable.contains("cannot read `"), "{unreadable}");
    fs::remove_dir(&file).unwrap();
    let empty = refusal(directory.path());
    assert!(empty.contains("there is no `.sql` file in it"), "{empty}");
}

#[test]
fn a_directory_that_is_not_there_is_an_error_that_says_where_paths_begin() {
    run(async {
        let error = engine(Backend::Sqlite, Schema::sql_dir("no/such/directory")).await;
        let text = error.unwrap_err().to_string();
        assert!(
            text.starts_with("`no/such/directory` of `Schema::sql_dir`: "),
            "{text}"
        );
        assert!(
            text.contains("help: a path begins at the directory"),
            "{text}"
        );
        let empty = tempfile::tempdir().unwrap();
        let error = engine(Backend::Sqlite, Schema::sql_dir(empty.path())).await;
        let text = error.unwrap_err().to_string();
        assert!(text.contains("there is no `.sql` file in it"), "{text}");
    });
}

#[test]
fn functions_and_procedures_keep_their_bodies() {
    run(async {
        let schema = Schema::sql(
            "CREATE TABLE a (x INT);
             CREATE FUNCTION add_two() RETURNS trigger LANGUAGE plpgsql AS $body$
             BEGIN
               INSERT INTO b VALUES (NEW.x); INSERT INTO b VALUES (NEW.x);
               RETURN NEW;
             END; $body$;
             CREATE TABLE b (x INT);
             CREATE TRIGGER t AFTER INSERT ON a FOR EACH ROW EXECUTE FUNCTION add_two();
             INSERT INTO a VALUES (1);",
        );
        let postgres = engine(Backend::Postgres, schema).await.unwrap();
        assert_eq!(count(&postgres, "SELECT count(*) FROM b").await, 2);
        let schema = Schema::sql(
            "CREATE TABLE a (x INT); CREATE TABLE b (x INT);
             CREATE TRIGGER t AFTER INSERT ON a FOR EACH ROW BEGIN
               IF NEW.x = 1 THEN INSERT INTO b VALUES (NEW.x); END IF;
               INSERT INTO b VALUES (CASE NEW.x WHEN 1 THEN 5 ELSE 6 END);
             END;
             INSERT INTO a VALUES (1);",
        );
        let mysql = engine(Backend::MySql, schema).await.unwrap();
        assert_eq!(count(&mysql, "SELECT count(*) FROM b").await, 2);
    });
}

fn migrator(sql: &'static [&'static str]) -> Migrator {
    let migrations = sql.iter().zip(1..).map(|(sql, version)| {
        let sql = AssertSqlSafe(*sql).into_sql_str();
        let description = Cow::Borrowed("books");
        Migration::new(version, description, MigrationType::Simple, sql, false)
    });
    Migrator {
        migrations: Cow::Owned(migrations.collect()),
        ..Migrator::DEFAULT
    }
}

#[test]
fn migrations_that_sqlx_embeds_run_on_every_database() {
    run(async {
        for backend in BACKENDS {
            let schema = Schema::sqlx(sqlx::migrate!("tests/migrations"));
            let engine = engine(backend, schema).await.unwrap();
            let books = "SELECT count(*) FROM book JOIN author ON author.id = book.author \
                         WHERE title = 'semi;colon'";
            assert_eq!(count(&engine, books).await, 1, "{backend}");
            let noted = "SELECT count(*) FROM _sqlx_migrations WHERE success";
            assert_eq!(count(&engine, noted).await, 2, "{backend}");
        }
    });
}

#[test]
fn another_byte_in_a_migration_of_sqlx_is_another_template() {
    let directory = tempfile::tempdir().unwrap();
    let built = async |sql: &str| {
        fs::write(directory.path().join("1_book.sql"), sql).unwrap();
        let migrator = Migrator::new(directory.path()).await.unwrap();
        let schema = Schema::sqlx(migrator);
        let engine = engine(Backend::Sqlite, schema).await.unwrap();
        assert_eq!(count(&engine, "SELECT count(*) FROM book").await, 0);
        engine.stats().templates_built
    };
    // No other run has a directory of this name.
    let mark = directory.path().display();
    let sql = format!("CREATE TABLE book (id INT); -- {mark}");
    run(async {
        assert_eq!(built(&sql).await, 1);
        assert_eq!(built(&sql).await, 0, "the same bytes");
        assert_eq!(built(&format!("{sql} ")).await, 1, "one more byte");
    });
}

#[test]
fn a_failing_migration_of_sqlx_is_named() {
    run(async {
        for backend in BACKENDS {
            let schema = Schema::sqlx(migrator(&["CREATE TABLE book (id INT)", "CREATE TABEL x"]));
            let error = engine(backend, schema).await.unwrap_err();
            let text = format!("{error:?}");
            assert!(error.is_schema());
            let expected =
                "migration 2 (`books`) of `Schema::sqlx` failed\n  in the schema made at ";
            assert!(text.starts_with(expected), "{backend}: {text}");
            assert!(
                text.contains("\n  caused by: ") && text.contains("TABEL"),
                "{text}"
            );
        }
    });
}

#[test]
fn two_engines_of_different_kinds_serve_one_test() {
    run(async {
        let schema = Schema::sql("CREATE TABLE book (id INT)");
        let here = engine(Backend::Sqlite, schema.clone()).await.unwrap();
        let there = engine(Backend::Postgres, schema).await.unwrap();
        let (one, two) = (
            here.transaction().await.unwrap(),
            there.transaction().await.unwrap(),
        );
        let (from, to) = (one.connection(), two.connection());
        for sql in ["INSERT INTO book VALUES (1)", "INSERT INTO book VALUES (2)"] {
            sea_orm::ConnectionTrait::execute_unprepared(&from, sql)
                .await
                .unwrap();
        }
        assert_eq!(number(&from, "SELECT count(*) FROM book").await, 2);
        assert_eq!(number(&to, "SELECT count(*) FROM book").await, 0);
        finish(one).await;
        finish(two).await;
    });
}
