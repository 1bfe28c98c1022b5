//! Shared isolation: one database, turns, and the state of the template after each.

use std::time::Duration;

use green_light_fixtures::{Engine, Isolation, Schema, Session};
use sea_orm::{ConnectionTrait, TransactionTrait};
use sqlx::SqlitePool;

use crate::support::{TEARDOWN_TIMEOUT, count, engine, insert, number, run};

async fn shared(engine: &Engine) -> Session {
    engine.session(Isolation::Shared).await.unwrap()
}

async fn engine_of(sql: &str) -> Engine {
    Engine::builder()
        .schema(Schema::sql(sql))
        .teardown_timeout(TEARDOWN_TIMEOUT)
        .build()
        .await
        .unwrap()
}

#[test]
fn the_rows_of_a_test_are_deleted_and_those_of_the_template_are_brought_back() {
    run(async {
        let engine = engine().await;
        let mut urls = Vec::new();
        for sql in [
            "INSERT INTO u (email) VALUES ('more')",
            "DELETE FROM u",
            "UPDATE u SET email = 'SEED'",
            "INSERT OR REPLACE INTO u (id, email) VALUES (1, 'other')",
        ] {
            let session = shared(&engine).await;
            assert_eq!(
                number(&session, "SELECT count(*) FROM u WHERE email = 'seed'").await,
                1,
                "before {sql}"
            );
            assert_eq!(count(&session).await, 1, "before {sql}");
            session.execute_unprepared(sql).await.unwrap();
            urls.push(session.url().clone());
            session.finish().await.unwrap();
        }
        urls.dedup();
        assert_eq!(urls.len(), 1, "one database for all");
        assert_eq!(engine.stats().databases_made, 1);
    });
}

#[test]
fn foreign_keys_triggers_and_counted_ids_are_put_back_too() {
    run(async {
        let engine = engine_of(
            "CREATE TABLE author (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL);
             CREATE TABLE book (id INTEGER PRIMARY KEY AUTOINCREMENT,
                 author INTEGER NOT NULL REFERENCES author (id) ON DELETE RESTRICT,
                 title TEXT, upper TEXT GENERATED ALWAYS AS (upper(title)) STORED);
             CREATE TABLE log (line TEXT);
             CREATE TRIGGER keep BEFORE DELETE ON book BEGIN SELECT RAISE(ABORT, 'append only'); END;
             CREATE TRIGGER note AFTER INSERT ON book BEGIN INSERT INTO log VALUES (new.title); END;
             INSERT INTO author (name) VALUES ('ann');
             INSERT INTO book (author, title) VALUES (1, 'one')",
        )
        .await;
        for _ in 0..3 {
            let session = shared(&engine).await;
            let sql = "INSERT INTO author (name) VALUES ('bob'); \
                       INSERT INTO book (author, title) VALUES (2, 'two')";
            session.execute_unprepared(sql).await.unwrap();
            assert_eq!(number(&session, "SELECT max(id) FROM book").await, 2);
            assert_eq!(number(&session, "SELECT count(*) FROM log").await, 2);
            let error = session.execute_unprepared("DELETE FROM book").await;
            assert!(error.unwrap_err().to_string().contains("append only"));
            session.finish().await.unwrap();
        }
        assert_eq!(engine.stats().databases_made, 1);
    });
}

#[test]
fn equal_rows_are_counted() {
    run(async {
        let engine = engine_of(
            "CREATE TABLE t (x TEXT COLLATE NOCASE); INSERT INTO t VALUES ('a'), ('a'), ('b')",
        )
        .await;
        for sql in [
            "DELETE FROM t; INSERT INTO t VALUES ('a'), ('b'), ('b')",
            "UPDATE t SET x = 'A' WHERE x = 'a'",
        ] {
            let session = shared(&engine).await;
            session.execute_unprepared(sql).await.unwrap();
            session.finish().await.unwrap();
            let next = shared(&engine).await;
            let sql = "SELECT count(*) FROM t WHERE x = 'a' COLLATE BINARY";
            assert_eq!(number(&next, sql).await, 2);
            next.finish().await.unwrap();
        }
    });
}

#[test]
fn what_the_file_itself_remembers_is_put_back_too() {
    run(async {
        let engine = engine_of("CREATE TABLE t (x); INSERT INTO t VALUES (1)").await;
        for sql in [
            "PRAGMA user_version = 7",
            "PRAGMA application_id = 7",
            "UPDATE t SET x = 1.0",
            "UPDATE t SET rowid = 7",
            "PRAGMA writable_schema = ON; DELETE FROM sqlite_schema",
            "PRAGMA journal_mode = DELETE",
            "PRAGMA journal_mode = DELETE; PRAGMA page_size = 512; VACUUM",
        ] {
            let session = shared(&engine).await;
            session.execute_unprepared(sql).await.unwrap();
            session.finish().await.unwrap();
            let next = shared(&engine).await;
            let found = "SELECT (SELECT user_version FROM pragma_user_version) \
                         + (SELECT application_id FROM pragma_application_id) \
                         + (SELECT count(*) FROM t WHERE rowid = 1 AND typeof(x) = 'integer') * 1000 \
                         + (SELECT page_size FROM pragma_page_size) * 10000";
            assert_eq!(number(&next, found).await, 40_961_000, "{sql}");
            let journal = "SELECT count(*) FROM pragma_journal_mode WHERE journal_mode = 'wal'";
            assert_eq!(number(&next, journal).await, 1, "{sql}");
            next.finish().await.unwrap();
        }
        assert_eq!(engine.stats().databases_made, 1);
    });
}

#[test]
fn tests_at_the_same_time_take_turns() {
    run(async {
        let engine = engine().await;
        let first = shared(&engine).await;
        let second = tokio::spawn({
            let engine = engine.clone();
            async move {
                let session = shared(&engine).await;
                let found = count(&session).await;
                session.finish().await.unwrap();
                found
            }
        });
        insert(&first, "first").await.unwrap();
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert!(!second.is_finished());
        first.finish().await.unwrap();
        assert_eq!(second.await.unwrap(), 1);
    });
}

#[test]
fn what_a_leaked_connection_writes_reaches_nobody_and_is_told() {
    run(async {
        let engine = engine().await;
        let session = shared(&engine).await;
        let own = SqlitePool::connect(session.url().expose()).await.unwrap();
        let mut leaked = own.begin().await.unwrap();
        sqlx::query("INSERT INTO u (email) VALUES ('leaked')")
            .execute(&mut *leaked)
            .await
            .unwrap();
        let error = session.finish().await.unwrap_err();
        assert!(error.is_held(), "{error}");
        assert!(error.to_string().contains("`session.url()`"), "{error}");
        leaked.commit().await.unwrap();
        let next = shared(&engine).await;
        assert_eq!(count(&next).await, 1);
        next.finish().await.unwrap();
    });
}

#[test]
fn rows_written_between_two_tests_are_gone_before_the_second() {
    run(async {
        let engine = engine().await;
        let session = shared(&engine).await;
        let own = SqlitePool::connect(session.url().expose()).await.unwrap();
        session.finish().await.unwrap();
        sqlx::query("INSERT INTO u (email) VALUES ('between')")
            .execute(&own)
            .await
            .unwrap();
        own.close().await;
        let next = shared(&engine).await;
        assert_eq!(count(&next).await, 1);
        next.finish().await.unwrap();
    });
}

#[test]
fn a_dropped_test_leaves_the_database_to_the_next() {
    run(async {
        let engine = engine().await;
        let session = shared(&engine).await;
        let tx = session.begin().await.unwrap();
        insert(&tx, "dropped").await.unwrap();
        drop((tx, session));
        let next = shared(&engine).await;
        assert_eq!(count(&next).await, 1);
        next.finish().await.unwrap();
        assert_eq!(engine.stats().databases_made, 1);
    });
}
