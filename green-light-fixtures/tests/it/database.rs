//! Database isolation: a database of its own for a test that commits, and what becomes of it.

use std::{path::Path, time::Duration};

use green_light_fixtures::{Backend, Engine, Isolation, Schema, Session};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbErr, TransactionTrait};
use sqlx::{SqlitePool, sqlite::SqlitePoolOptions};

use crate::support::{
    On, count, engine, engine_on, expect_clean, insert, number, outside, run, schema_on,
};

on_each_backend!(
    every_test_starts_from_the_template_with_equal_ids,
    a_pool_of_the_applications_own_sees_what_the_test_commits_and_the_other_way_round,
    several_connections_work_at_once_and_see_only_what_is_committed,
    tests_at_the_same_time_have_databases_of_their_own_and_the_next_one_starts_from_the_template,
    a_connection_that_outlives_its_test_is_told_and_the_wait_for_it_is_bounded,
    a_changed_byte_makes_a_new_template_and_the_old_text_finds_the_old_one,
    a_schema_that_fails_leaves_no_template_and_the_next_try_builds_it,
);

// On SQLite such a seed is an error.
on_each_server!(a_seed_that_leaks_a_connection_does_not_hinder_the_template);

async fn session_of(engine: &Engine) -> Session {
    engine.session(Isolation::Database).await.unwrap()
}

async fn every_test_starts_from_the_template_with_equal_ids(backend: Backend) {
    let engine = engine_on(backend).await;
    for _ in 0..3 {
        let session = session_of(&engine).await;
        insert(&session, "mine").await.unwrap();
        assert_eq!(number(&session, "SELECT max(id) FROM u").await, 2);
        assert_eq!(count(&session).await, 2);
        session.finish().await.unwrap();
    }
}

async fn a_pool_of_the_applications_own_sees_what_the_test_commits_and_the_other_way_round(
    backend: Backend,
) {
    let engine = engine_on(backend).await;
    let session = session_of(&engine).await;
    insert(&session, "mine").await.unwrap();
    let own = outside(session.url().expose()).await;
    assert_eq!(count(&own).await, 2);
    insert(&own, "its").await.unwrap();
    assert_eq!(count(&session).await, 3);
    own.close().await.unwrap();
    session.finish().await.unwrap();
    expect_clean(&engine).await;
}

async fn several_connections_work_at_once_and_see_only_what_is_committed(backend: Backend) {
    let engine = engine_on(backend).await;
    let session = session_of(&engine).await;
    let own = outside(session.url().expose()).await;
    let open = session.begin().await.unwrap();
    insert(&open, "open").await.unwrap();
    for db in [session.connection(), &own] {
        assert_eq!(count(db).await, 1, "not committed yet");
    }
    open.commit().await.unwrap();
    for db in [session.connection(), &own] {
        assert_eq!(count(db).await, 2);
    }
    let undone = session.begin().await.unwrap();
    insert(&undone, "undone").await.unwrap();
    undone.rollback().await.unwrap();
    assert_eq!(count(&session).await, 2);
    own.close().await.unwrap();
    session.finish().await.unwrap();
    expect_clean(&engine).await;
}

async fn tests_at_the_same_time_have_databases_of_their_own_and_the_next_one_starts_from_the_template(
    backend: Backend,
) {
    let engine = engine_on(backend).await;
    let (a, b) = (session_of(&engine).await, session_of(&engine).await);
    assert_ne!(a.url(), b.url());
    insert(&a, "same").await.unwrap();
    insert(&b, "same").await.unwrap();
    a.execute_unprepared("DROP TABLE u").await.unwrap();
    assert_eq!(count(&b).await, 2);
    a.finish().await.unwrap();
    b.finish().await.unwrap();
    let next = session_of(&engine).await;
    assert_eq!(count(&next).await, 1);
    next.finish().await.unwrap();
    assert_eq!(engine.stats().databases_made, 3);
}

async fn a_connection_that_outlives_its_test_is_told_and_the_wait_for_it_is_bounded(
    backend: Backend,
) {
    let engine = engine_on(backend).await;
    let session = session_of(&engine).await;
    let tx = session.begin().await.unwrap();
    insert(&tx, "held").await.unwrap();
    let later = session.connection().clone();
    let error = session.finish().await.unwrap_err();
    assert!(error.is_held(), "{error}");
    let expected = "was still in use 3.0 s later";
    assert!(error.to_string().contains(expected), "{error}");
    assert!(count_of(&later).await.is_err(), "its pool is closed");
    drop(tx);
    expect_clean(&engine).await;
}

async fn a_changed_byte_makes_a_new_template_and_the_old_text_finds_the_old_one(backend: Backend) {
    let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_nanos();
    let sql =
        |value: &str| format!("CREATE TABLE t{now} (x INT); INSERT INTO t{now} VALUES ({value})");
    let built = async |schema: Schema| {
        let engine = Engine::builder().backend(backend).schema(schema);
        let engine = engine.build().await.unwrap();
        (engine.stats().templates_built, engine.url())
    };
    let (one, first) = built(Schema::sql(sql("1"))).await;
    let (two, second) = built(Schema::sql(sql("2"))).await;
    let (again, third) = built(Schema::sql(sql("1"))).await;
    assert_eq!((one, two, again), (1, 1, 0));
    if backend != Backend::Sqlite {
        assert!(first == third && first != second);
    }
    for (key, expected) in [("a", 1), ("b", 1), ("a", 0)] {
        let (built, _) = built(Schema::sql(sql("1")).key(key)).await;
        assert_eq!(built, expected, "{key}");
    }
}

async fn a_schema_that_fails_leaves_no_template_and_the_next_try_builds_it(backend: Backend) {
    let text = format!("CREATE TABLE once{} (x INT)", std::process::id());
    let build = |fails: bool| {
        let seed =
            async move |_: &DatabaseConnection| if fails { Err("not today") } else { Ok(()) };
        let schema = Schema::sql(text.clone()).seed(seed);
        Engine::builder().backend(backend).schema(schema).build()
    };
    let error = build(true).await.unwrap_err();
    assert!(error.is_schema(), "{error:?}");
    let engine = build(false).await.unwrap();
    assert_eq!(engine.stats().templates_built, 1);
}

fn a_seed_that_leaks_a_connection_does_not_hinder_the_template(on: On) {
    run(async {
        let schema = schema_on(on.backend).seed(async |db: &DatabaseConnection| {
            std::mem::forget(db.begin().await?);
            Ok::<_, DbErr>(())
        });
        let engine = on.engine_of(schema).await;
        let session = session_of(&engine).await;
        assert_eq!(count(&session).await, 1);
        session.finish().await.unwrap();
    });
}

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

async fn count_of(db: &impl ConnectionTrait) -> Result<(), DbErr> {
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
