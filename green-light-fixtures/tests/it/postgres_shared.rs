//! Shared isolation on PostgreSQL: one database, turns, and the state of the template after each.

use green_light_fixtures::{Engine, Isolation, Session};
use sea_orm::{ConnectionTrait, DbBackend, Statement};
use sqlx::PgPool;

use crate::support::{postgres_of, run};

const TABLES: &str = "
    CREATE TABLE author (id serial PRIMARY KEY, name text NOT NULL UNIQUE, data json);
    CREATE TABLE book (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        author int NOT NULL REFERENCES author (id), title text,
        upper text GENERATED ALWAYS AS (upper(title)) STORED);
    CREATE TABLE empty (x int);
    INSERT INTO author (name, data) VALUES ('ann', '{}');
    INSERT INTO book (author, title) VALUES (1, 'one')";

async fn shared(engine: &Engine) -> Session {
    engine.session(Isolation::Shared).await.unwrap()
}

async fn number(session: &Session, sql: &str) -> i64 {
    let row = session
        .query_one_raw(Statement::from_string(DbBackend::Postgres, sql))
        .await
        .unwrap();
    row.unwrap().try_get_by_index(0).unwrap()
}

/// Whether the database is as the template made it.
async fn expect_untouched(session: &Session) {
    let sql = "SELECT (SELECT count(*) FROM author WHERE name = 'ann' AND id = 1) * 1000 \
               + (SELECT count(*) FROM author) * 100 \
               + (SELECT count(*) FROM book WHERE upper = 'ONE') * 10 + (SELECT count(*) FROM empty)";
    assert_eq!(number(session, sql).await, 1110);
}

#[test]
fn the_rows_of_a_test_are_deleted_and_those_of_the_template_are_brought_back() {
    run(async {
        let engine = postgres_of(TABLES).await;
        let mut urls = Vec::new();
        for sql in [
            "INSERT INTO author (name) VALUES ('bob')",
            "DELETE FROM book; DELETE FROM author",
            "UPDATE author SET name = 'ANN'",
            "INSERT INTO empty VALUES (1), (1)",
            "WITH a AS (INSERT INTO author (name) VALUES ('bob') RETURNING id) \
             INSERT INTO book (author, title) SELECT id, 'two' FROM a",
        ] {
            let session = shared(&engine).await;
            expect_untouched(&session).await;
            session.execute_unprepared(sql).await.unwrap();
            urls.push(session.url().clone());
            session.finish().await.unwrap();
        }
        urls.dedup();
        assert_eq!(urls.len(), 1, "one database for all");
    });
}

#[test]
fn rows_written_between_two_tests_are_gone_before_the_second() {
    run(async {
        let engine = postgres_of(TABLES).await;
        let session = shared(&engine).await;
        let own = PgPool::connect(session.url().expose()).await.unwrap();
        session.finish().await.unwrap();
        for sql in ["INSERT INTO empty VALUES (1)", "DELETE FROM book"] {
            // A connection that is open keeps the database until the next test.
            if sqlx::query(sql).execute(&own).await.is_err() {
                break;
            }
        }
        own.close().await;
        let next = shared(&engine).await;
        expect_untouched(&next).await;
        next.finish().await.unwrap();
    });
}

#[test]
fn ids_start_equal_in_every_test() {
    run(async {
        let engine = postgres_of(TABLES).await;
        for _ in 0..2 {
            let session = shared(&engine).await;
            let sql = "INSERT INTO author (name) VALUES ('bob')";
            session.execute_unprepared(sql).await.unwrap();
            assert_eq!(
                number(&session, "SELECT max(id)::bigint FROM author").await,
                2
            );
            session.finish().await.unwrap();
        }
    });
}

#[test]
fn triggers_do_not_keep_the_rows_from_being_put_back() {
    run(async {
        let refuse = "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS \
                      'BEGIN RAISE EXCEPTION ''append only''; END'";
        let engine = postgres_of(&format!(
            "CREATE TABLE log (line text); {refuse}; \
             CREATE TRIGGER refuse BEFORE DELETE ON log EXECUTE FUNCTION refuse()"
        ))
        .await;
        for _ in 0..2 {
            let session = shared(&engine).await;
            assert_eq!(number(&session, "SELECT count(*) FROM log").await, 0);
            let sql = "INSERT INTO log VALUES ('a')";
            session.execute_unprepared(sql).await.unwrap();
            let error = session.execute_unprepared("DELETE FROM log").await;
            assert!(error.unwrap_err().to_string().contains("append only"));
            session.finish().await.unwrap();
        }
    });
}

#[test]
fn a_lock_that_a_test_leaves_is_told_with_its_holder_and_waits_for_nobody() {
    run(async {
        let engine = postgres_of(TABLES).await;
        let session = shared(&engine).await;
        let own = PgPool::connect(session.url().expose()).await.unwrap();
        let mut leaked = own.begin().await.unwrap();
        sqlx::query("UPDATE author SET name = 'leaked'")
            .execute(&mut *leaked)
            .await
            .unwrap();
        let sql = "INSERT INTO author (name) VALUES ('bob')";
        session.execute_unprepared(sql).await.unwrap();
        let error = session.finish().await.unwrap_err();
        assert!(error.is_held(), "{error}");
        let text = format!("{error:?}");
        assert!(text.contains("UPDATE author SET name"), "{text}");
        let next = shared(&engine).await;
        expect_untouched(&next).await;
        next.finish().await.unwrap();
        drop(leaked);
    });
}
