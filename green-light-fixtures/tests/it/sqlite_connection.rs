//! What a test does to its connection of SQLite itself, by the driver's handle or by SQL: the next test has a
//! connection that is as new.

#![expect(
    unsafe_code,
    reason = "tests that use the handle of SQLite itself, as applications do"
)]

use std::{
    ffi::{CStr, c_char, c_int, c_uint, c_void},
    ptr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use green_light_fixtures::{Engine, Isolation, Transaction};
use libsqlite3_sys::{
    SQLITE_OK, SQLITE_TRACE_STMT, SQLITE_UTF8, sqlite3, sqlite3_busy_handler, sqlite3_context,
    sqlite3_create_collation_v2, sqlite3_create_function_v2, sqlite3_result_int,
    sqlite3_set_authorizer, sqlite3_trace_v2, sqlite3_value, sqlite3_wal_hook,
};
use sea_orm::{ConnectionTrait as _, TransactionTrait as _};
use sqlx::{Sqlite, pool::PoolConnection, sqlite::LockedSqliteHandle};

use crate::{
    children::{part, playing, said},
    own_server::strings,
    support::{
        begin, caught, count, engine, expect_clean, finish, insert, number, outside, run, schema,
    },
};

async fn acquired(test: &Transaction) -> PoolConnection<Sqlite> {
    test.session().sqlite_pool().acquire().await.unwrap()
}

/// A test that does something with the handle of its connection.
async fn with_handle(
    engine: &Engine,
    change: impl FnOnce(&mut LockedSqliteHandle<'_>),
) -> Transaction {
    let test = begin(engine).await;
    let mut connection = acquired(&test).await;
    change(&mut connection.lock_handle().await.unwrap());
    drop(connection);
    test
}

/// Checks that a test which commits as text is refused and reported.
async fn expect_guarded(engine: &Engine) {
    for text in ["COMMIT", "ROLLBACK"] {
        let test = begin(engine).await;
        let db = test.connection();
        let _ = db.execute_unprepared(text).await;
        drop(db);
        caught(engine, test).await;
    }
}

#[test]
fn a_hook_of_one_test_does_not_let_another_commit() {
    run(async {
        let engine = engine().await;
        let called = Arc::new(AtomicUsize::new(0));
        let test = with_handle(&engine, |handle| {
            let (committed, rolled_back, updated) = (
                Arc::clone(&called),
                Arc::clone(&called),
                Arc::clone(&called),
            );
            handle.set_commit_hook(move || committed.fetch_add(1, Ordering::Relaxed) < usize::MAX);
            handle.set_rollback_hook(move || {
                rolled_back.fetch_add(1, Ordering::Relaxed);
            });
            handle.set_update_hook(move |_| {
                updated.fetch_add(1, Ordering::Relaxed);
            });
        })
        .await;
        insert(&test.connection(), "seen by the hook")
            .await
            .unwrap();
        assert_eq!(called.load(Ordering::Relaxed), 1);
        finish(test).await;
        let before = called.load(Ordering::Relaxed);
        expect_clean(&engine).await;
        expect_guarded(&engine).await;
        assert_eq!(called.load(Ordering::Relaxed), before);
    });
}

#[test]
fn a_test_that_takes_away_the_hook_and_commits_is_reported() {
    run(async {
        let engine = engine().await;
        for texts in [
            "COMMIT",
            "COMMIT; INSERT INTO u (email) VALUES ('after')",
            "COMMIT; BEGIN IMMEDIATE",
            "ROLLBACK; BEGIN IMMEDIATE; DELETE FROM u; COMMIT; BEGIN IMMEDIATE",
        ] {
            let test = with_handle(&engine, |handle| {
                handle.set_commit_hook(|| true);
                handle.set_rollback_hook(|| {});
            })
            .await;
            test.connection().execute_unprepared(texts).await.unwrap();
            let report = caught(&engine, test).await;
            assert!(report.contains("set a hook in place of"), "{report}");
            expect_guarded(&engine).await;
        }
    });
}

#[test]
fn a_progress_handler_of_one_test_does_not_interrupt_another() {
    run(async {
        let engine = engine().await;
        let test = with_handle(&engine, |handle| handle.set_progress_handler(1, || false)).await;
        test.connection()
            .execute_unprepared("SELECT 1")
            .await
            .unwrap_err();
        finish(test).await;
        expect_clean(&engine).await;
    });
}

#[test]
fn a_collation_of_one_test_is_not_known_to_another() {
    run(async {
        let engine = engine().await;
        let test = with_handle(&engine, |handle| {
            handle
                .create_collation("backwards", |a, b| b.cmp(a))
                .unwrap();
        })
        .await;
        let sorted = "SELECT email FROM u ORDER BY email COLLATE backwards";
        test.connection().execute_unprepared(sorted).await.unwrap();
        finish(test).await;
        let next = engine.transaction().await.unwrap();
        next.connection()
            .execute_unprepared(sorted)
            .await
            .unwrap_err();
        finish(next).await;
    });
}

#[test]
fn what_holds_for_the_whole_process_is_refused_and_reported() {
    run(async {
        let engine = engine().await;
        for (pragma, named) in [
            ("soft_heap_limit = 7000000", "soft_heap_limit"),
            ("hard_heap_limit(9000000)", "hard_heap_limit"),
            ("temp_store_directory = 'target'", "temp_store_directory"),
        ] {
            let test = begin(&engine).await;
            let sql = format!("PRAGMA {pragma}");
            test.connection()
                .execute_unprepared(&sql)
                .await
                .unwrap_err();
            let report = caught(&engine, test).await;
            assert!(report.contains("for the whole process"), "{report}");
            assert!(
                report.contains(&format!("by: `PRAGMA {named} = ")),
                "{report}"
            );
        }
        let next = engine.transaction().await.unwrap();
        let db = next.connection();
        assert_eq!(number(&db, "PRAGMA soft_heap_limit").await, 0);
        assert_eq!(number(&db, "PRAGMA hard_heap_limit").await, 0);
        drop(db);
        finish(next).await;
    });
}

/// The connection has changed rows since it was opened, which is seen in what it counts.
async fn is_kept(engine: &Engine) -> bool {
    let test = engine.transaction().await.unwrap();
    let changes = number(&test.connection(), "SELECT total_changes()").await;
    finish(test).await;
    changes > 0
}

#[test]
fn an_ordinary_test_leaves_its_connection_to_the_next() {
    run(async {
        let engine = engine().await;
        for texts in [
            "UPDATE u SET email = lower(email); DELETE FROM u WHERE id > 5",
            "SELECT count(*) FROM u; PRAGMA table_info(u); PRAGMA foreign_keys",
            "SELECT json_group_array(email), max(id), random() FROM u",
        ] {
            let test = begin(&engine).await;
            let begun = test.connection().begin().await.unwrap();
            insert(&begun, "inner").await.unwrap();
            begun.commit().await.unwrap();
            let session = test.session();
            session.execute_unprepared(texts).await.unwrap();
            let by_sqlx = sqlx::query("SELECT count(*) FROM u").fetch_all(session.sqlite_pool());
            by_sqlx.await.unwrap();
            assert_eq!(count(&test.connection()).await, 3);
            drop(session);
            finish(test).await;
            assert!(is_kept(&engine).await, "{texts}");
        }
        let test = begin(&engine).await;
        let pragma = "PRAGMA full_column_names = ON";
        test.connection().execute_unprepared(pragma).await.unwrap();
        finish(test).await;
        assert!(!is_kept(&engine).await);
    });
}

#[test]
fn what_the_connection_counts_starts_at_nothing() {
    run(async {
        let engine = engine().await;
        for _ in 0..2 {
            let test = engine.transaction().await.unwrap();
            let db = test.connection();
            for count in ["last_insert_rowid()", "changes()"] {
                assert_eq!(number(&db, &format!("SELECT {count}")).await, 0, "{count}");
            }
            insert(&db, "one").await.unwrap();
            drop(db);
            finish(test).await;
        }
        assert!(is_kept(&engine).await);
    });
}

/// How often something of a test was called.
static CALLED: AtomicUsize = AtomicUsize::new(0);

unsafe extern "C" fn always_one(
    context: *mut sqlite3_context,
    _: c_int,
    _: *mut *mut sqlite3_value,
) {
    // SAFETY: SQLite gives the function its context.
    unsafe { sqlite3_result_int(context, 1) }
}

unsafe extern "C" fn all_equal(
    _: *mut c_void,
    _: c_int,
    _: *const c_void,
    _: c_int,
    _: *const c_void,
) -> c_int {
    0
}

unsafe extern "C" fn authorized(
    _: *mut c_void,
    _: c_int,
    _: *const c_char,
    _: *const c_char,
    _: *const c_char,
    _: *const c_char,
) -> c_int {
    CALLED.fetch_add(1, Ordering::Relaxed);
    SQLITE_OK
}

unsafe extern "C" fn traced(_: c_uint, _: *mut c_void, _: *mut c_void, _: *mut c_void) -> c_int {
    CALLED.fetch_add(1, Ordering::Relaxed);
    0
}

unsafe extern "C" fn busy(_: *mut c_void, _: c_int) -> c_int {
    CALLED.fetch_add(1, Ordering::Relaxed);
    0
}

unsafe extern "C" fn logged(_: *mut c_void, _: *mut sqlite3, _: *const c_char, _: c_int) -> c_int {
    CALLED.fetch_add(1, Ordering::Relaxed);
    SQLITE_OK
}

/// Gives the connection a function in place of one that it has.
fn replace_function(handle: &mut LockedSqliteHandle<'_>) {
    let (db, name) = (handle.as_raw_handle().as_ptr(), c"fts5_source_id".as_ptr());
    // SAFETY: The connection is open, and locked for us. The function lives as long as the program.
    let code = unsafe {
        sqlite3_create_function_v2(
            db,
            name,
            0,
            SQLITE_UTF8,
            ptr::null_mut(),
            Some(always_one),
            None,
            None,
            None,
        )
    };
    assert_eq!(code, SQLITE_OK);
}

/// Gives the connection a collation in place of one that it has.
fn replace_collation(handle: &mut LockedSqliteHandle<'_>, name: &CStr) {
    let (db, name) = (handle.as_raw_handle().as_ptr(), name.as_ptr());
    let data = ptr::null_mut();
    // SAFETY: As in `replace_function`.
    let code =
        unsafe { sqlite3_create_collation_v2(db, name, SQLITE_UTF8, data, Some(all_equal), None) };
    assert_eq!(code, SQLITE_OK);
}

/// An engine whose connections have a collation of the application.
async fn engine_with_collation() -> Engine {
    Engine::builder()
        .schema(schema())
        .map_sqlite_options(|options| options.collation("by_length", |a, b| a.len().cmp(&b.len())))
        .build()
        .await
        .unwrap()
}

#[test]
fn a_function_or_a_collation_in_place_of_another_one_is_not_there_for_the_next_test() {
    run(async {
        let engine = engine_with_collation().await;
        let seen = async |test: &Transaction| {
            let db = test.connection();
            (
                number(&db, "SELECT fts5_source_id() = 1").await,
                number(&db, "SELECT 'aa' = 'a' COLLATE by_length").await,
            )
        };
        type Change = fn(&mut LockedSqliteHandle<'_>);
        let changes: [(Change, (i64, i64)); 2] = [
            (replace_function, (1, 0)),
            (|handle| replace_collation(handle, c"by_length"), (0, 1)),
        ];
        for (change, changed) in changes {
            let test = with_handle(&engine, change).await;
            assert_eq!(seen(&test).await, changed);
            finish(test).await;
            let next = begin(&engine).await;
            assert_eq!(seen(&next).await, (0, 0));
            finish(next).await;
        }
        // One that only takes the connection leaves it to the next test.
        insert(&begin(&engine).await.connection(), "one")
            .await
            .unwrap();
        let test = with_handle(&engine, |_| {}).await;
        insert(&test.connection(), "one").await.unwrap();
        finish(test).await;
        assert!(is_kept(&engine).await);
    });
}

#[test]
fn what_a_test_lets_sqlite_call_is_not_called_in_the_next_test() {
    run(async {
        let engine = engine().await;
        type Change = fn(*mut sqlite3);
        // SAFETY: The connections are open, and locked for us; the functions live as long as the program.
        let changes: [Change; 4] = unsafe {
            [
                |db| {
                    sqlite3_set_authorizer(db, Some(authorized), ptr::null_mut());
                },
                |db| {
                    sqlite3_trace_v2(db, SQLITE_TRACE_STMT, Some(traced), ptr::null_mut());
                },
                |db| {
                    sqlite3_busy_handler(db, Some(busy), ptr::null_mut());
                },
                |db| {
                    sqlite3_wal_hook(db, Some(logged), ptr::null_mut());
                },
            ]
        };
        for (number_of, change) in changes.into_iter().enumerate() {
            let pragmas = async |test: &Transaction| {
                let db = test.connection();
                let busy = number(&db, "PRAGMA busy_timeout").await;
                (busy, number(&db, "PRAGMA wal_autocheckpoint").await)
            };
            let test = begin(&engine).await;
            let before = pragmas(&test).await;
            finish(test).await;
            let test = with_handle(&engine, |handle| change(handle.as_raw_handle().as_ptr())).await;
            insert(&test.connection(), "one").await.unwrap();
            finish(test).await;
            let called = CALLED.load(Ordering::Relaxed);
            let next = begin(&engine).await;
            assert_eq!(pragmas(&next).await, before, "{number_of}");
            insert(&next.connection(), "one").await.unwrap();
            finish(next).await;
            expect_guarded(&engine).await;
            assert_eq!(CALLED.load(Ordering::Relaxed), called, "{number_of}");
        }
    });
}

#[test]
fn a_heap_limit_that_a_pool_of_its_own_sets_is_put_back_and_told() {
    let name = "sqlite_connection::a_heap_limit_that_a_pool_of_its_own_sets_is_put_back_and_told";
    // It holds for the whole process, in which other tests run.
    if part().is_none() {
        said(playing(name, "alone").spawn().unwrap());
        return;
    }
    run(async {
        let engine = Engine::builder().schema(schema()).file();
        let engine = engine.build().await.unwrap();
        let limits = [
            ("soft_heap_limit", 700_000_000),
            ("hard_heap_limit", 900_000_000),
        ];
        let all = [
            Isolation::Transaction,
            Isolation::Database,
            Isolation::Shared,
        ];
        for (isolation, (pragma, limit)) in all.into_iter().flat_map(|i| limits.map(|l| (i, l))) {
            let test = engine.isolate(isolation, "its_own_pool").await.unwrap();
            let session = test.session();
            let own = outside(session.url().expose()).await;
            let set = format!("PRAGMA {pragma} = {limit}");
            own.execute_unprepared(&set).await.unwrap();
            assert_eq!(
                number(&*session, &format!("PRAGMA {pragma}")).await,
                i64::from(limit)
            );
            own.close().await.unwrap();
            drop(session);
            let report = test.finish().await.unwrap_err().to_string();
            assert!(report.contains("`its_own_pool` ran while"), "{report}");
            assert!(report.contains(&set), "{report}");
            let next = engine.isolate(isolation, "next").await.unwrap();
            let db = next.session();
            for (pragma, _) in limits {
                assert_eq!(number(&*db, &format!("PRAGMA {pragma}")).await, 0);
            }
            drop(db);
            next.finish().await.unwrap();
        }
        let directory = tempfile::tempdir().unwrap();
        let test = engine.isolate(Isolation::Database, "its_own").await;
        let test = test.unwrap();
        let session = test.session();
        let path = directory.path().display();
        let set = format!("PRAGMA temp_store_directory = '{path}'");
        session.execute_unprepared(&set).await.unwrap();
        drop(session);
        let report = test.finish().await.unwrap_err().to_string();
        assert!(report.contains("PRAGMA temp_store_directory"), "{report}");
        let next = engine.transaction_for("next").await.unwrap();
        let found = strings(&next.connection(), "PRAGMA temp_store_directory").await;
        assert!(found.is_empty(), "{found:?}");
        next.finish().await.unwrap();
    });
}

#[test]
fn what_waits_for_the_lock_of_a_test_reaches_no_later_one() {
    run(async {
        let engine = Engine::builder().schema(schema()).file();
        let engine = engine.build().await.unwrap();
        for _ in 0..5 {
            let test = begin(&engine).await;
            let other = outside(test.session().url().expose()).await;
            let waiting = tokio::spawn(async move {
                let _ = insert(&other, "as soon as it can").await;
                other.close().await.unwrap();
            });
            tokio::time::sleep(Duration::from_millis(20)).await;
            finish(test).await;
            expect_clean(&engine).await;
            waiting.await.unwrap();
            expect_clean(&engine).await;
        }
        assert_eq!(engine.stats().slots_discarded, 5);
    });
}
