//! Database isolation: a database of its own for a test that commits, and what becomes of it.

use std::{path::Path, time::Duration};

use green_light_fixtures::Isolation;
use sea_orm::{ConnectionTrait, Database, TransactionTrait};
use sqlx::{SqlitePool, sqlite::SqlitePoolOptions};

use crate::support::{count, engine, expect_clean, insert, run};

async fn rows(pool: &SqlitePool) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM u")
        .fetch_one(pool)
        .await
        .unwrap()
}

/// The file that the URL of a session names.
fn file(url: &str) -> &Path {
    Path::new(url.strip_prefix("sqlite://").unwrap())
}

#[test]
fn a_pool_of_the_applications_own_sees_what_the_test_commits_and_the_other_way_round() {
    run(async {
        let engine = engine().await;
        let session = engine.session(Isolation::Database).await.unwrap();
        insert(&session, "mine").await.unwrap();
        let own = SqlitePool::connect(session.url().expose()).await.unwrap();
        assert_eq!(rows(&own).await, 2);
        sqlx::query("INSERT INTO u (email) VALUES ('its')")
            .execute(&own)
            .await
            .unwrap();
        assert_eq!(count(&session).await, 3);
        let orm = Database::connect(session.url().expose()).await.unwrap();
        assert_eq!(count(&orm).await, 3);
        orm.close().await.unwrap();
        own.close().await;
        session.finish().await.unwrap();
        expect_clean(&engine).await;
    });
}

#[test]
fn several_connections_work_at_once_and_see_only_what_is_committed() {
    run(async {
        let engine = engine().await;
        let session = engine.session(Isolation::Database).await.unwrap();
        let open = session.begin().await.unwrap();
        insert(&open, "open").await.unwrap();
        assert_eq!(count(&session).await, 1, "not committed yet");
        open.commit().await.unwrap();
        assert_eq!(count(&session).await, 2);
        let undone = session.begin().await.unwrap();
        insert(&undone, "undone").await.unwrap();
        undone.rollback().await.unwrap();
        assert_eq!(count(&session).await, 2);
        session.finish().await.unwrap();
        expect_clean(&engine).await;
    });
}

#[test]
fn tests_at_the_same_time_have_databases_of_their_own_and_the_next_one_starts_from_the_template() {
    run(async {
        let engine = engine().await;
        let a = engine.session(Isolation::Database).await.unwrap();
        let b = engine.session(Isolation::Database).await.unwrap();
        assert_ne!(a.url(), b.url());
        insert(&a, "same").await.unwrap();
        insert(&b, "same").await.unwrap();
        a.execute_unprepared("DROP TABLE u").await.unwrap();
        assert_eq!(count(&b).await, 2);
        a.finish().await.unwrap();
        b.finish().await.unwrap();
        let next = engine.session(Isolation::Database).await.unwrap();
        assert_eq!(count(&next).await, 1);
        next.finish().await.unwrap();
        assert_eq!(engine.stats().databases_made, 3);
    });
}

#[test]
fn raw_commit_and_vacuum_are_as_in_production() {
    run(async {
        let engine = engine().await;
        let session = engine.session(Isolation::Database).await.unwrap();
        let sql = "BEGIN; INSERT INTO u (email) VALUES ('raw'); COMMIT; VACUUM";
        session.execute_unprepared(sql).await.unwrap();
        assert_eq!(count(&session).await, 2);
        session.finish().await.unwrap();
    });
}

#[test]
fn the_files_go_when_the_test_ends_well_or_is_dropped() {
    run(async {
        let engine = engine().await;
        for finishes in [true, false] {
            let session = engine.session(Isolation::Database).await.unwrap();
            insert(&session, "mine").await.unwrap();
            let url = session.url().clone();
            assert!(file(url.expose()).exists());
            if finishes {
                session.finish().await.unwrap();
            } else {
                drop(session);
            }
            let gone = || !file(url.expose()).exists();
            assert!(gone(), "{url}");
        }
    });
}

#[test]
fn a_connection_that_outlives_its_test_is_told_and_the_wait_for_it_is_bounded() {
    run(async {
        let engine = engine().await;
        let session = engine.session(Isolation::Database).await.unwrap();
        let tx = session.begin().await.unwrap();
        insert(&tx, "held").await.unwrap();
        let later = session.connection().clone();
        let error = session.finish().await.unwrap_err();
        assert!(error.is_held(), "{error}");
        assert!(
            error.to_string().contains("was still in use 0.5 s later"),
            "{error}"
        );
        assert!(count_of(&later).await.is_err(), "its pool is closed");
        drop(tx);
        expect_clean(&engine).await;
    });
}

async fn count_of(db: &impl ConnectionTrait) -> Result<(), sea_orm::DbErr> {
    db.execute_unprepared("SELECT count(*) FROM u")
        .await
        .map(drop)
}

#[test]
fn all_connections_taken_is_told_with_their_number() {
    run(async {
        let engine = engine().await;
        let session = engine.session(Isolation::Database).await.unwrap();
        let mut open = Vec::new();
        for _ in 0..5 {
            open.push(session.begin().await.unwrap());
        }
        let error = count_of(&session).await.unwrap_err().to_string();
        assert!(error.contains("none of the 5 connections"), "{error}");
        assert!(error.contains("help: "), "{error}");
        drop(open);
        session.finish().await.unwrap();
    });
}

#[test]
fn a_savepoint_of_the_whole_test_says_what_it_needs() {
    run(async {
        let engine = engine().await;
        let test = engine.isolate(Isolation::Database, "t").await.unwrap();
        let error = test.savepoint().await.unwrap_err().to_string();
        assert!(error.contains("isolation = transaction"), "{error}");
        test.finish().await.unwrap();
    });
}

#[test]
fn a_second_writer_waits_for_the_first_and_readers_do_not() {
    run(async {
        let engine = engine().await;
        let session = engine.session(Isolation::Database).await.unwrap();
        let own = SqlitePoolOptions::new()
            .connect(session.url().expose())
            .await
            .unwrap();
        let first = session.begin().await.unwrap();
        insert(&first, "first").await.unwrap();
        assert_eq!(rows(&own).await, 1);
        let second = tokio::spawn({
            let own = own.clone();
            async move {
                sqlx::query("INSERT INTO u (email) VALUES ('second')")
                    .execute(&own)
                    .await
            }
        });
        tokio::time::sleep(Duration::from_millis(50)).await;
        first.commit().await.unwrap();
        second.await.unwrap().unwrap();
        assert_eq!(count(&session).await, 3);
        own.close().await;
        session.finish().await.unwrap();
    });
}
