//! What every database promises of the transaction around a test, whatever the test sends.

use green_light_fixtures::Backend;
use sea_orm::{ConnectionTrait, IsolationLevel, TransactionTrait};
use sqlx::Connection;

use crate::support::{begin, count, engine_on, expect_clean, finish, insert, number};

on_each_backend!(
    a_begin_that_cannot_nest_fails_and_loses_nothing,
    an_sql_error_outside_a_transaction_takes_nothing_along,
    what_a_rollback_does_not_undo_does_not_reach_the_next_test,
    tests_that_write_the_same_key_do_not_wait_for_each_other,
);

async fn a_begin_that_cannot_nest_fails_and_loses_nothing(backend: Backend) {
    let engine = engine_on(backend).await;
    let test = begin(&engine).await;
    let db = test.connection();
    for _ in 0..3 {
        match backend {
            Backend::Sqlite => {
                let pool = db.get_sqlite_connection_pool();
                let begun = pool.begin_with("BEGIN IMMEDIATE").await;
                begun.map(drop).unwrap_err();
                let mut connection = pool.acquire().await.unwrap();
                let begun = connection.begin_with("BEGIN EXCLUSIVE").await;
                begun.map(drop).unwrap_err();
            }
            Backend::Postgres => {
                let pool = db.get_postgres_connection_pool();
                let begun = pool.begin_with("BEGIN ISOLATION LEVEL SERIALIZABLE").await;
                begun.map(drop).unwrap_err();
            }
            _ => {
                let pool = db.get_mysql_connection_pool();
                let begun = pool.begin_with("START TRANSACTION").await;
                begun.map(drop).unwrap_err();
            }
        }
        // SQLite knows no other level.
        if backend != Backend::Sqlite {
            let serializable = Some(IsolationLevel::Serializable);
            let begun = db.begin_with_config(serializable, None).await;
            begun.map(drop).unwrap_err();
        }
        assert_eq!(count(&db).await, 2);
    }
    drop(db);
    finish(test).await;
    expect_clean(&engine).await;
    assert_eq!(engine.stats().slots_discarded, 0);
}

async fn an_sql_error_outside_a_transaction_takes_nothing_along(backend: Backend) {
    let engine = engine_on(backend).await;
    let test = begin(&engine).await;
    let db = test.connection();
    for _ in 0..20 {
        insert(&db, "seed").await.unwrap_err();
        let unknown = "INSERT INTO u (email) VALUES ('seed')";
        db.execute_unprepared(unknown).await.unwrap_err();
        db.execute_unprepared("SELEKT").await.unwrap_err();
        assert_eq!(count(&db).await, 2);
    }
    drop(db);
    finish(test).await;
    expect_clean(&engine).await;
}

/// What changes a session, what shows it, and what that shows in a new session.
type Change = (&'static str, &'static str, i64);

const OF_SQLITE: &[Change] = &[
    ("PRAGMA query_only = ON", "PRAGMA query_only", 0),
    (
        "PRAGMA ignore_check_constraints = ON",
        "PRAGMA ignore_check_constraints",
        0,
    ),
    (
        "PRAGMA recursive_triggers = ON",
        "PRAGMA recursive_triggers",
        0,
    ),
    ("PRAGMA case_sensitive_like = ON", "SELECT 'a' LIKE 'A'", 1),
    (
        "ATTACH ':memory:' AS other",
        "SELECT count(*) FROM pragma_database_list WHERE name = 'other'",
        0,
    ),
    (
        "CREATE TEMP TABLE t (x)",
        "SELECT count(*) FROM sqlite_temp_schema",
        0,
    ),
    ("PRAGMA user_version = 7", "PRAGMA user_version", 0),
    (
        "PRAGMA defer_foreign_keys = ON",
        "PRAGMA defer_foreign_keys",
        0,
    ),
];

const OF_POSTGRES: &[Change] = &[
    (
        "SELECT pg_advisory_lock(4711)",
        "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 4711 \
         AND pid = pg_backend_pid()",
        0,
    ),
    (
        "SET work_mem = '77MB'",
        "SELECT count(*) FROM pg_settings WHERE name = 'work_mem' AND setting = '78848'",
        0,
    ),
    (
        "CREATE TEMP TABLE t (x int)",
        "SELECT count(*) FROM pg_class WHERE relname = 't'",
        0,
    ),
    (
        "CREATE TYPE mood AS ENUM ('ok')",
        "SELECT count(*) FROM pg_type WHERE typname = 'mood'",
        0,
    ),
];

const OF_MYSQL: &[Change] = &[
    (
        "SET foreign_key_checks = 0",
        "SELECT @@foreign_key_checks = 0",
        0,
    ),
    ("SET @a = 7", "SELECT coalesce(@a, 0) = 7", 0),
    (
        "SELECT GET_LOCK('green_light_mine', 0)",
        "SELECT coalesce(IS_USED_LOCK('green_light_mine') = CONNECTION_ID(), 0)",
        0,
    ),
    ("SET sql_mode = ''", "SELECT @@sql_mode = ''", 0),
];

async fn what_a_rollback_does_not_undo_does_not_reach_the_next_test(backend: Backend) {
    let engine = engine_on(backend).await;
    let changes = match backend {
        Backend::Sqlite => OF_SQLITE,
        Backend::Postgres => OF_POSTGRES,
        _ => OF_MYSQL,
    };
    for (change, look, new) in changes {
        let test = begin(&engine).await;
        let db = test.connection();
        db.execute_unprepared(change).await.unwrap();
        assert_ne!(number(&db, look).await, *new, "{change}");
        drop(db);
        finish(test).await;
        let next = engine.transaction_for("next").await.unwrap();
        assert_eq!(number(&next.connection(), look).await, *new, "{change}");
        finish(next).await;
        expect_clean(&engine).await;
    }
}

async fn tests_that_write_the_same_key_do_not_wait_for_each_other(backend: Backend) {
    let engine = engine_on(backend).await;
    let tests = [begin(&engine).await, begin(&engine).await];
    for test in &tests {
        insert(&test.connection(), "same").await.unwrap();
    }
    for test in tests {
        assert_eq!(count(&test.connection()).await, 3);
        finish(test).await;
    }
    expect_clean(&engine).await;
}
