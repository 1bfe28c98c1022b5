//! Dumps of real databases as schemas: what `pg_dump`, `mariadb-dump`, `mysqldump` and `sqlite3` write.
//!
//! Each file in `tests/dumps` is the unchanged output of one of them: PostgreSQL 15 (`--inserts`),
//! MariaDB 10.11 and MySQL 9.7 (`--routines --events --hex-blob`), SQLite 3.40 (`.dump`). The seed that
//! follows finds the database as if nothing had been set for the dump.

use std::fs;

use green_light_fixtures::{Backend, Engine, Isolation, Schema};
use sea_orm::{ConnectionTrait as _, DatabaseConnection, DbErr};

use crate::support::{number, run};

async fn books(db: &DatabaseConnection) -> Result<(), DbErr> {
    for title in ["seeded", "seeded; twice"] {
        let sql = format!("INSERT INTO book (author, title) VALUES (2, '{title}')");
        db.execute_unprepared(&sql).await?;
    }
    Ok(())
}

async fn expect(backend: Backend, file: &str, expected: &[(&str, i64)]) {
    let dump = fs::read_to_string(format!("tests/dumps/{file}.sql")).unwrap();
    let engine = Engine::builder()
        .backend(backend)
        .schema(Schema::sql(dump).seed(books))
        .build()
        .await
        .unwrap_or_else(|error| panic!("{file}: {error:?}"));
    for isolation in [Isolation::Transaction, Isolation::Database] {
        let session = engine.session(isolation).await.unwrap();
        for (sql, expected) in expected {
            assert_eq!(number(&session, sql).await, *expected, "{file}: {sql}");
        }
        let orphan = "INSERT INTO book (author, title) VALUES (99, 'orphan')";
        match backend {
            // Deferred in this one.
            Backend::Postgres => {}
            _ => drop(session.execute_unprepared(orphan).await.unwrap_err()),
        }
        session.finish().await.unwrap();
    }
}

#[test]
fn a_dump_of_postgres_is_a_schema() {
    let expected = [
        (
            "SELECT count(*) FROM author WHERE name LIKE E'o''neil; \\\\\\\\ \"q\"\\nsecond -- line'",
            1,
        ),
        ("SELECT count(*) FROM author WHERE shout = 'ANN'", 1),
        ("SELECT count(*) FROM book", 4),
        ("SELECT max(id) FROM book", 4),
        ("SELECT count(*) FROM log WHERE what = 'it''s; noted'", 1),
        ("SELECT count(*) FROM log WHERE what LIKE 'new; seeded%'", 2),
        ("SELECT twice(21)::bigint", 42),
        ("SELECT n FROM authors", 3),
        ("SELECT count(*) FROM cheap WHERE cheap = 'yes;'", 1),
    ];
    run(expect(Backend::Postgres, "pg_dump", &expected));
}

#[test]
fn a_dump_of_sqlite_is_a_schema() {
    let expected = [
        (
            "SELECT count(*) FROM author WHERE name LIKE 'o''neil; \\ \"q\"\nsecond -- line'",
            1,
        ),
        ("SELECT count(*) FROM author WHERE photo = x'00ff27'", 1),
        ("SELECT count(*) FROM author WHERE \"end\" = 'x;'", 2),
        ("SELECT seq FROM sqlite_sequence WHERE name = 'author'", 2),
        ("SELECT count(*) FROM log", 4),
        ("SELECT count(*) FROM cheap WHERE cheap = 'yes;'", 4),
    ];
    run(expect(Backend::Sqlite, "sqlite3", &expected));
}

async fn is_mariadb() -> bool {
    let engine = Engine::builder().backend(Backend::MySql);
    let engine = engine.build().await.unwrap();
    let session = engine.session(Isolation::Transaction).await.unwrap();
    let found = number(&session, "SELECT version() LIKE '%MariaDB%'").await;
    session.finish().await.unwrap();
    found == 1
}

#[test]
fn a_dump_of_mariadb_or_mysql_is_a_schema() {
    let expected = [
        (
            "SELECT count(*) FROM author WHERE name LIKE 'o''neil; \\\\\\\\ \"q\"\\nsecond -- line'",
            1,
        ),
        (
            "SELECT count(*) FROM author WHERE photo = x'00ff27' AND loud = 'ANN'",
            1,
        ),
        ("SELECT count(*) FROM author WHERE name = 'nobody;'", 1),
        ("SELECT count(*) FROM book", 4),
        ("SELECT count(*) FROM log WHERE what = 'it''s; noted'", 1),
        ("SELECT count(*) FROM log WHERE what = 'later;'", 3),
        ("SELECT CAST(twice(21) AS SIGNED)", 42),
        ("SELECT count(*) FROM cheap WHERE cheap = 'yes;'", 4),
        (
            "SELECT count(*) FROM information_schema.routines WHERE routine_schema = database()",
            2,
        ),
        (
            "SELECT count(*) FROM information_schema.events WHERE event_schema = database()",
            1,
        ),
    ];
    run(async {
        expect(Backend::MySql, "mysqldump", &expected).await;
        // It has the values of generated columns, which MySQL does not take.
        if is_mariadb().await {
            expect(Backend::MySql, "mariadb-dump", &expected).await;
        }
    });
}
