//! Schemas that functions make, by name, with any driver; and files that are listed.

use std::fs;

use green_light_fixtures::{Backend, Engine, Isolation, NewDatabase, Schema};
use sea_orm::{ConnectionTrait as _, Database, DbErr};

use crate::support::{number, run};

async fn engine(backend: Backend, schema: Schema) -> Engine {
    let engine = Engine::builder().backend(backend).schema(schema);
    engine.build().await.unwrap()
}

/// As an application has it: it knows a URL, and connects itself.
async fn migrate(url: &str) -> Result<(), DbErr> {
    let db = Database::connect(url).await?;
    db.execute_unprepared("CREATE TABLE book (title VARCHAR(20))")
        .await?;
    db.execute_unprepared("INSERT INTO book VALUES ('one')")
        .await?;
    db.close().await
}

async fn a_function_has_the_url_the_connection_and_the_pool(backend: Backend) {
    let schema = Schema::run("migrate", async |db| migrate(db.url().expose()).await)
        .then(Schema::run("more", async |db| {
            db.execute_unprepared("INSERT INTO book VALUES ('two')")
                .await
                .map(drop)
        }))
        .then(Schema::run("pool", async |db| {
            let sql = "INSERT INTO book VALUES ('three')";
            match db.backend() {
                Backend::Postgres => sqlx::query(sql).execute(db.postgres_pool()).await.map(drop),
                Backend::MySql => sqlx::query(sql).execute(db.mysql_pool()).await.map(drop),
                _ => sqlx::query(sql).execute(db.sqlite_pool()).await.map(drop),
            }
        }));
    let engine = engine(backend, schema).await;
    for isolation in [Isolation::Transaction, Isolation::Database] {
        let session = engine.session(isolation).await.unwrap();
        assert_eq!(number(&session, "SELECT count(*) FROM book").await, 3);
        session
            .execute_unprepared("DELETE FROM book")
            .await
            .unwrap();
        session.finish().await.unwrap();
    }
}

on_each_backend!(a_function_has_the_url_the_connection_and_the_pool);

#[test]
fn a_function_that_fails_is_named_with_the_place_of_its_own_schema() {
    run(async {
        let wrong = Schema::run("diesel", async |_| Err::<(), _>("no flour left"));
        let line = line!() - 1;
        let schema = Schema::sql("CREATE TABLE a (x INT)").then(wrong);
        let error = Engine::builder().schema(schema).build().await.unwrap_err();
        let text = format!("{error:?}");
        assert!(
            text.starts_with("`diesel` of `Schema::run` failed"),
            "{text}"
        );
        assert!(text.contains("no flour left"), "{text}");
        assert!(text.contains(&format!("schema_run.rs:{line}:")), "{text}");
    });
}

#[test]
fn a_pool_of_another_database_is_refused() {
    let panic = std::panic::catch_unwind(|| {
        run(async {
            let schema = Schema::run("pool", async |db: &NewDatabase| {
                let _ = db.postgres_pool();
                Ok::<_, DbErr>(())
            });
            Engine::builder().schema(schema).build().await.map(drop)
        })
    });
    let text = panic.unwrap_err().downcast::<String>().unwrap();
    assert!(text.contains("`sqlite`, not on `postgres`"), "{text}");
}

#[test]
fn scripts_run_in_the_order_in_which_they_are_listed() {
    run(async {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        fs::write(path("2_first.sql"), "CREATE TABLE a (x INT);\n").unwrap();
        fs::write(path("1_second.sql"), "INSERT INTO a VALUES (1), (2);").unwrap();
        let schema = Schema::scripts([path("2_first.sql"), path("1_second.sql")]);
        let engine = engine(Backend::Sqlite, schema).await;
        let session = engine.session(Isolation::Transaction).await.unwrap();
        assert_eq!(number(&session, "SELECT count(*) FROM a").await, 2);
        session.finish().await.unwrap();

        let schema = Schema::scripts([path("2_first.sql"), path("3_third.sql")]);
        let error = Engine::builder().schema(schema).build().await.unwrap_err();
        let text = error.to_string();
        assert!(
            text.starts_with("`Schema::scripts`: cannot read `"),
            "{text}"
        );
        assert!(text.contains("3_third.sql"), "{text}");
    });
}

#[test]
fn the_directories_of_diesel_are_read_and_a_failure_names_file_and_line() {
    run(async {
        let directory = tempfile::tempdir().unwrap();
        for (name, sql) in [
            (
                "2024-02-01-000000_books/up.sql",
                "CREATE TABLE book (x INT);\n\nINSERT INTO shelf VALUES (1);",
            ),
            ("2024-02-01-000000_books/down.sql", "DROP TABLE book;"),
            (
                "2024-01-01-000000_shelves/up.sql",
                "CREATE TABLE shelf (x INT);",
            ),
            ("2024-01-01-000000_shelves/down.sql", "DROP TABLE shelf;"),
        ] {
            let path = directory.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, sql).unwrap();
        }
        let engine = engine(Backend::Sqlite, Schema::sql_dir(directory.path())).await;
        let session = engine.session(Isolation::Transaction).await.unwrap();
        assert_eq!(number(&session, "SELECT count(*) FROM shelf").await, 1);
        assert_eq!(number(&session, "SELECT count(*) FROM book").await, 0);
        session.finish().await.unwrap();

        let path = directory.path().join("2024-01-01-000000_shelves/up.sql");
        fs::write(path, "\nCREATE TABEL shelf (x INT);").unwrap();
        let schema = Schema::sql_dir(directory.path());
        let error = Engine::builder().schema(schema).build().await.unwrap_err();
        let text = error.to_string();
        assert!(
            text.contains("_shelves/up.sql`, on its line 2, failed"),
            "{text}"
        );
    });
}
