//! A test that is given the pool of sqlx itself: its database is used again, and nothing of it reaches
//! the tests after it.

use std::time::Duration;

use green_light_fixtures::{Backend, Transaction};
use sqlx::{ConnectOptions as _, Connection as _, Executor as _};

use crate::support::{count, engine_on, expect_clean, finish, insert};

/// The tests on one backend, whose pool a session gives by `$pool`.
macro_rules! raw_pool_on {
    ($module:ident, $backend:ident, $pool:ident, $pool_of_seaorm:ident, $leave:expr, $look:expr) => {
        mod $module {
            use super::*;

            const BACKEND: Backend = Backend::$backend;

            fn pool(test: &Transaction) -> sqlx::Pool<sqlx::$backend> {
                test.session().$pool().clone()
            }

            async fn rows(pool: &sqlx::Pool<sqlx::$backend>) -> i64 {
                let count = sqlx::query_scalar("SELECT count(*) FROM u");
                count.fetch_one(pool).await.unwrap()
            }

            const INSERT: &str = "INSERT INTO u (email) VALUES ('raw')";

            async fn costs_its_test_no_database() {
                let engine = engine_on(BACKEND).await;
                for _ in 0..5 {
                    let test = engine.transaction().await.unwrap();
                    let pool = pool(&test);
                    assert_eq!(rows(&pool).await, 1);
                    let mut outer = pool.begin().await.unwrap();
                    outer.execute(INSERT).await.unwrap();
                    let mut inner = outer.begin().await.unwrap();
                    inner.execute("DELETE FROM u").await.unwrap();
                    inner.rollback().await.unwrap();
                    outer.commit().await.unwrap();
                    assert_eq!(rows(&pool).await, 2);
                    assert_eq!(count(&test.connection()).await, 2);
                    finish(test).await;
                    assert!(pool.is_closed());
                }
                expect_clean(&engine).await;
                let stats = engine.stats();
                assert_eq!((stats.slots_opened, stats.slots_discarded), (1, 0));
            }

            async fn that_is_not_used_is_not_there_for_the_next_test() {
                let engine = engine_on(BACKEND).await;
                let test = engine.transaction().await.unwrap();
                let unused = pool(&test);
                finish(test).await;
                let next = engine.transaction().await.unwrap();
                insert(&next.connection(), "mine").await.unwrap();
                let refused = unused.execute(INSERT).await.unwrap_err();
                assert!(matches!(refused, sqlx::Error::PoolClosed), "{refused}");
                assert!(unused.try_acquire().is_none());
                assert_eq!(count(&next.connection()).await, 2);
                finish(next).await;
                expect_clean(&engine).await;
                assert_eq!(engine.stats().slots_discarded, 0);
            }

            async fn of_seaorm_that_is_not_used_is_not_there_for_the_next_test() {
                let engine = engine_on(BACKEND).await;
                for kept in [true, false] {
                    let test = engine.transaction().await.unwrap();
                    let session = test.session();
                    let pool = session.$pool_of_seaorm();
                    let leaked = kept.then(|| pool.clone());
                    assert_eq!(rows(pool).await, 1);
                    drop(session);
                    finish(test).await;
                    let next = engine.transaction().await.unwrap();
                    insert(&next.connection(), "mine").await.unwrap();
                    if let Some(leaked) = leaked {
                        let refused = leaked.execute(INSERT).await.unwrap_err();
                        assert!(matches!(refused, sqlx::Error::PoolClosed), "{refused}");
                    }
                    assert_eq!(count(&next.connection()).await, 2);
                    finish(next).await;
                }
                expect_clean(&engine).await;
                assert_eq!(engine.stats().slots_discarded, 0);
            }

            async fn of_seaorm_in_a_leaked_task_writes_into_no_later_test() {
                let engine = engine_on(BACKEND).await;
                for pause in [0, 100, 1_000] {
                    let test = engine.transaction().await.unwrap();
                    let pool = test.session().$pool_of_seaorm().clone();
                    let leaked = tokio::spawn(async move {
                        while !matches!(pool.execute(INSERT).await, Err(sqlx::Error::PoolClosed)) {
                            tokio::time::sleep(Duration::from_micros(pause)).await;
                        }
                    });
                    tokio::time::sleep(Duration::from_micros(pause)).await;
                    let _ = test.finish().await;
                    for _ in 0..5 {
                        expect_clean(&engine).await;
                    }
                    leaked.await.unwrap();
                }
            }

            async fn that_a_task_waits_for_reaches_no_later_test() {
                let engine = engine_on(BACKEND).await;
                let test = engine.transaction().await.unwrap();
                let pool = pool(&test);
                let held = pool.acquire().await.unwrap();
                let leaked = tokio::spawn(async move {
                    let mut connection = pool.acquire().await?;
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    connection.execute(INSERT).await.map(drop)
                });
                tokio::task::yield_now().await;
                drop(held);
                // It may have the connection before the end of the test has it, or not.
                let _ = test.finish().await;
                expect_clean(&engine).await;
                let _ = leaked.await.unwrap();
                expect_clean(&engine).await;
            }

            async fn whose_connection_is_detached_fails_its_test() {
                let engine = engine_on(BACKEND).await;
                let test = engine.transaction().await.unwrap();
                let pool = pool(&test);
                let mut detached = pool.acquire().await.unwrap().detach();
                detached.execute(INSERT).await.unwrap();
                assert_eq!(rows(&pool).await, 1);
                let error = test.finish().await.unwrap_err();
                assert!(error.is_breach(), "{error}");
                expect_clean(&engine).await;
                // The connection is that of a database that is not used again, if it works at all.
                let _ = detached.execute(INSERT).await;
                let _ = detached.execute("COMMIT").await;
                expect_clean(&engine).await;
            }

            async fn whose_connection_is_leaked_fails_its_test() {
                let engine = engine_on(BACKEND).await;
                let test = engine.transaction().await.unwrap();
                let mut leaked = pool(&test).acquire().await.unwrap().leak();
                leaked.execute(INSERT).await.unwrap();
                let error = test.finish().await.unwrap_err();
                assert!(error.is_held(), "{error}");
                expect_clean(&engine).await;
                let _ = leaked.execute("COMMIT").await;
                expect_clean(&engine).await;
            }

            async fn whose_connection_is_closed_fails_its_test() {
                let engine = engine_on(BACKEND).await;
                let test = engine.transaction().await.unwrap();
                let pool = pool(&test);
                pool.acquire().await.unwrap().close().await.unwrap();
                assert_eq!(rows(&pool).await, 1);
                assert!(test.finish().await.unwrap_err().is_breach());
                expect_clean(&engine).await;
            }

            async fn that_is_closed_is_not_the_next_tests() {
                let engine = engine_on(BACKEND).await;
                let test = engine.transaction().await.unwrap();
                let pool = pool(&test);
                pool.execute(INSERT).await.unwrap();
                pool.close().await;
                finish(test).await;
                expect_clean(&engine).await;
            }

            async fn keeps_no_options_for_the_next_test() {
                let engine = engine_on(BACKEND).await;
                let test = engine.transaction().await.unwrap();
                let pool = pool(&test);
                pool.set_connect_options(Default::default());
                pool.execute(INSERT).await.unwrap();
                finish(test).await;
                expect_clean(&engine).await;
                assert_eq!(engine.stats().slots_discarded, 0);
            }

            async fn leads_nobody_to_its_database() {
                let engine = engine_on(BACKEND).await;
                let test = engine.transaction().await.unwrap();
                let pool = pool(&test);
                pool.execute(INSERT).await.unwrap();
                let mut other = pool.connect_options().connect().await.unwrap();
                let refused = other.execute(INSERT).await.unwrap_err().to_string();
                if BACKEND != Backend::Sqlite {
                    assert!(refused.contains("`isolation = database`"), "{refused}");
                }
                other.execute("COMMIT").await.unwrap_err();
                let _ = other.close().await;
                finish(test).await;
                expect_clean(&engine).await;
                let stats = engine.stats();
                assert_eq!((stats.slots_opened, stats.slots_discarded), (1, 0));
            }

            async fn fails_in_time_when_two_connections_are_wanted() {
                let engine = engine_on(BACKEND).await;
                let test = engine.transaction().await.unwrap();
                let pool = pool(&test);
                let held = pool.begin().await.unwrap();
                let refused = pool.acquire().await.unwrap_err();
                assert!(matches!(refused, sqlx::Error::PoolTimedOut), "{refused}");
                let told = test.contention().unwrap();
                assert!(told.contains("`isolation = database`"), "{told}");
                drop(held);
                finish(test).await;
                expect_clean(&engine).await;
            }

            async fn that_commits_as_text_fails_its_test() {
                let engine = engine_on(BACKEND).await;
                let test = engine.transaction().await.unwrap();
                let pool = pool(&test);
                pool.execute(INSERT).await.unwrap();
                let _ = pool.execute("COMMIT").await;
                let _ = pool.execute(INSERT).await;
                assert!(test.finish().await.unwrap_err().is_breach());
                expect_clean(&engine).await;
            }

            async fn leaves_nothing_in_the_session_of_the_next_test() {
                let engine = engine_on(BACKEND).await;
                let of_new = {
                    let test = engine.transaction().await.unwrap();
                    let pool = pool(&test);
                    let found: String = sqlx::query_scalar($look).fetch_one(&pool).await.unwrap();
                    finish(test).await;
                    found
                };
                for leaving in $leave {
                    let test = engine.transaction().await.unwrap();
                    let pool = pool(&test);
                    pool.execute(leaving).await.unwrap();
                    drop(pool);
                    finish(test).await;
                    let next = engine.transaction().await.unwrap();
                    let pool = super::$module::pool(&next);
                    let found: String = sqlx::query_scalar($look).fetch_one(&pool).await.unwrap();
                    assert_eq!(found, of_new, "after {leaving}");
                    drop(pool);
                    finish(next).await;
                    expect_clean(&engine).await;
                }
            }

            async fn that_is_dropped_by_a_cancelled_query_does_no_harm() {
                let engine = engine_on(BACKEND).await;
                for micros in [0, 20, 50, 100, 200, 400, 800] {
                    let test = engine.transaction().await.unwrap();
                    let pool = pool(&test);
                    let work = async {
                        let mut begun = pool.begin().await?;
                        begun.execute(sqlx::query(INSERT)).await?;
                        begun.commit().await
                    };
                    let _ = tokio::time::timeout(Duration::from_micros(micros), work).await;
                    let _ = test.finish().await;
                    expect_clean(&engine).await;
                }
            }

            raw_pool_tests! {
                costs_its_test_no_database,
                that_is_not_used_is_not_there_for_the_next_test,
                of_seaorm_that_is_not_used_is_not_there_for_the_next_test,
                of_seaorm_in_a_leaked_task_writes_into_no_later_test,
                that_a_task_waits_for_reaches_no_later_test,
                whose_connection_is_detached_fails_its_test,
                whose_connection_is_leaked_fails_its_test,
                whose_connection_is_closed_fails_its_test,
                that_is_closed_is_not_the_next_tests,
                keeps_no_options_for_the_next_test,
                leads_nobody_to_its_database,
                fails_in_time_when_two_connections_are_wanted,
                that_commits_as_text_fails_its_test,
                leaves_nothing_in_the_session_of_the_next_test,
                that_is_dropped_by_a_cancelled_query_does_no_harm,
            }
        }
    };
}

macro_rules! raw_pool_tests {
    ($($name:ident),+ $(,)?) => {
        mod a_pool {
            $(
                #[test]
                fn $name() {
                    crate::support::run(super::$name());
                }
            )+
        }
    };
}

raw_pool_on!(
    sqlite,
    Sqlite,
    sqlite_pool,
    get_sqlite_connection_pool,
    [
        "PRAGMA recursive_triggers = 1",
        "CREATE TEMP TABLE kept (x INT)",
        "ATTACH ':memory:' AS other",
        "CREATE TABLE more (x INT)",
    ],
    "SELECT (SELECT recursive_triggers FROM pragma_recursive_triggers) || ' ' || \
     (SELECT group_concat(name) FROM pragma_database_list) || ' ' || \
     (SELECT count(*) FROM sqlite_master) || ' ' || (SELECT count(*) FROM sqlite_temp_master)"
);
raw_pool_on!(
    postgres,
    Postgres,
    postgres_pool,
    get_postgres_connection_pool,
    [
        "SET statement_timeout = 12345",
        "SET search_path = pg_catalog, public",
        "CREATE TEMP TABLE kept (x INT)",
        "CREATE TABLE more (x INT)",
        "CREATE TYPE mood AS ENUM ('sad')",
        "ALTER TABLE u ADD COLUMN more INT",
        "SELECT pg_advisory_lock(7)",
        "LISTEN here",
        "PREPARE kept AS SELECT 1",
        "DECLARE kept CURSOR WITH HOLD FOR SELECT 1",
    ],
    "SELECT concat_ws(' ', current_setting('statement_timeout'), current_setting('search_path'), \
     (SELECT count(*) FROM pg_class WHERE relname IN ('kept', 'more')), \
     (SELECT count(*) FROM pg_type WHERE typname = 'mood'), \
     (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()), \
     (SELECT count(*) FROM pg_listening_channels()), \
     (SELECT count(*) FROM pg_prepared_statements WHERE from_sql), (SELECT count(*) FROM pg_cursors \
     WHERE name = 'kept'))"
);
raw_pool_on!(
    mysql,
    MySql,
    mysql_pool,
    get_mysql_connection_pool,
    [
        "SET @kept = 1",
        "SET SESSION sql_safe_updates = 1",
        "SET time_zone = '+05:00'",
        "CREATE TEMPORARY TABLE kept (x INT)",
        "DO GET_LOCK('kept', 1)",
        "PREPARE kept FROM 'SELECT 1'",
        "SELECT 1 INTO @kept",
        "SELECT @kept := 1",
        "SELECT GET_LOCK('kept', 1)",
        "EXECUTE IMMEDIATE 'SET SESSION sql_safe_updates = 1'",
        "SET SESSION group_concat_max_len = 17",
    ],
    "SELECT CONVERT(CONCAT_WS(' ', coalesce(@kept, '-'), @@sql_safe_updates, @@time_zone, @@group_concat_max_len, \
     coalesce(IS_USED_LOCK('kept') = CONNECTION_ID(), 0)) USING utf8mb4)"
);
