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
    SQLITE_DBCONFIG_DEFENSIVE, SQLITE_DBCONFIG_ENABLE_FKEY, SQLITE_DBCONFIG_ENABLE_TRIGGER,
    SQLITE_DBCONFIG_MAINDBNAME, SQLITE_DBCONFIG_REVERSE_SCANORDER, SQLITE_ERROR,
    SQLITE_FCNTL_RESERVE_BYTES, SQLITE_FCNTL_SIZE_LIMIT, SQLITE_LIMIT_LENGTH, SQLITE_LIMIT_VDBE_OP,
    SQLITE_OK, SQLITE_TRACE_STMT, SQLITE_UTF8, sqlite3, sqlite3_auto_extension,
    sqlite3_autovacuum_pages, sqlite3_busy_handler, sqlite3_busy_timeout,
    sqlite3_cancel_auto_extension, sqlite3_collation_needed, sqlite3_context,
    sqlite3_create_collation_v2, sqlite3_create_function_v2, sqlite3_create_module_v2,
    sqlite3_db_config, sqlite3_db_name, sqlite3_drop_modules, sqlite3_enable_load_extension,
    sqlite3_exec, sqlite3_extended_result_codes, sqlite3_file_control, sqlite3_get_clientdata,
    sqlite3_last_insert_rowid, sqlite3_limit, sqlite3_module, sqlite3_overload_function,
    sqlite3_result_int, sqlite3_set_authorizer, sqlite3_set_clientdata,
    sqlite3_set_last_insert_rowid, sqlite3_trace_v2, sqlite3_value, sqlite3_vfs, sqlite3_vfs_find,
    sqlite3_vfs_register, sqlite3_vfs_unregister, sqlite3_wal_autocheckpoint, sqlite3_wal_hook,
};
use sea_orm::{ConnectionTrait as _, TransactionTrait as _};
use sqlx::{Sqlite, pool::PoolConnection, sqlite::LockedSqliteHandle};

use crate::{
    children::in_its_own_process,
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

/// What a test does to its connection.
type Change = fn(*mut sqlite3);

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
    let test = async {
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
    };
    in_its_own_process(name, || run(test));
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

unsafe extern "C" fn collates(
    _: *mut c_void,
    db: *mut sqlite3,
    encoding: c_int,
    name: *const c_char,
) {
    // SAFETY: SQLite gives its connection and a name, and the function lives as long as the program.
    unsafe {
        let data = ptr::null_mut();
        sqlite3_create_collation_v2(db, name, encoding, data, Some(all_equal), None);
    }
}

unsafe extern "C" fn no_pages(
    _: *mut c_void,
    _: *const c_char,
    _: c_uint,
    _: c_uint,
    _: c_uint,
) -> c_uint {
    CALLED.fetch_add(1, Ordering::Relaxed);
    0
}

unsafe extern "C" fn refuses(
    _: *mut sqlite3,
    _: *mut c_void,
    _: c_int,
    _: *const *const c_char,
    _: *mut *mut libsqlite3_sys::sqlite3_vtab,
    _: *mut *mut c_char,
) -> c_int {
    SQLITE_ERROR
}

unsafe extern "C" fn refuses_too(
    _: *mut sqlite3,
    _: *mut c_void,
    _: c_int,
    _: *const *const c_char,
    _: *mut *mut libsqlite3_sys::sqlite3_vtab,
    _: *mut *mut c_char,
) -> c_int {
    SQLITE_ERROR
}

/// A module that refuses to make tables.
fn module() -> *const sqlite3_module {
    // SAFETY: Zeros are no functions, as C has it.
    let mut module: sqlite3_module = unsafe { std::mem::zeroed() };
    module.iVersion = 1;
    module.xCreate = Some(refuses);
    module.xConnect = Some(refuses_too);
    // It lives as long as the program.
    Box::leak(Box::new(module))
}

fn set(db: *mut sqlite3, setting: c_int, value: c_int) {
    let mut now: c_int = -1;
    // SAFETY: The connection is open; the settings are those that take a number and give one.
    let code = unsafe { sqlite3_db_config(db, setting, value, &raw mut now) };
    assert_eq!((code, now), (SQLITE_OK, value), "{setting}");
}

fn ask_file(db: *mut sqlite3, question: c_int) -> i64 {
    let mut value: i64 = -1;
    // SAFETY: The connection is open, and a negative number only asks.
    unsafe { sqlite3_file_control(db, ptr::null(), question, (&raw mut value).cast()) };
    value
}

/// What can be seen of a connection by its handle.
fn seen_by_handle(db: *mut sqlite3) -> Vec<(&'static str, i64)> {
    let mut seen = Vec::new();
    // SAFETY: The connection is open, and locked for us. All of it only asks, or fails, or is rolled back.
    unsafe {
        for setting in 1002..=1022 {
            let mut now: c_int = -1;
            sqlite3_db_config(db, setting, -1 as c_int, &raw mut now);
            seen.push(("setting", now.into()));
        }
        for limit in 0..12 {
            seen.push(("limit", sqlite3_limit(db, limit, -1).into()));
        }
        seen.push(("rowid", sqlite3_last_insert_rowid(db)));
        for question in [SQLITE_FCNTL_RESERVE_BYTES, SQLITE_FCNTL_SIZE_LIMIT] {
            seen.push(("file", ask_file(db, question)));
        }
        let name = CStr::from_ptr(sqlite3_db_name(db, 0));
        seen.push(("name", i64::from(name == c"main")));
        for sql in [
            c"INSERT INTO u (email) VALUES ('seed')",
            c"SELECT 'a' = 'b' COLLATE made_up",
            c"SELECT overloaded(1)",
            c"CREATE VIRTUAL TABLE temp.t USING a_module_of_a_test",
            c"CREATE VIRTUAL TABLE temp.t USING fts5(x)",
        ] {
            let code = sqlite3_exec(db, sql.as_ptr(), None, ptr::null_mut(), ptr::null_mut());
            seen.push((sql.to_str().unwrap(), code.into()));
        }
    }
    seen
}

/// What a test sees of its connection.
async fn seen(engine: &Engine) -> Vec<(&'static str, i64)> {
    let test = begin(engine).await;
    let mut seen = Vec::new();
    for pragma in ["busy_timeout", "wal_autocheckpoint"] {
        let sql = format!("PRAGMA {pragma}");
        seen.push((pragma, number(&test.connection(), &sql).await));
    }
    let mut connection = acquired(&test).await;
    let mut handle = connection.lock_handle().await.unwrap();
    seen.extend(seen_by_handle(handle.as_raw_handle().as_ptr()));
    drop(handle);
    drop(connection);
    finish(test).await;
    seen
}

#[test]
fn what_a_test_sets_by_the_handle_is_as_new_for_the_next_test() {
    // SAFETY: The connections are open, and locked for us; what they are given lives as long as the program.
    let changes: [(&str, Change); 17] = unsafe {
        [
            ("foreign keys", |db| set(db, SQLITE_DBCONFIG_ENABLE_FKEY, 0)),
            ("triggers", |db| set(db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0)),
            ("defensive", |db| set(db, SQLITE_DBCONFIG_DEFENSIVE, 1)),
            ("order", |db| set(db, SQLITE_DBCONFIG_REVERSE_SCANORDER, 1)),
            ("name", |db| {
                sqlite3_db_config(db, SQLITE_DBCONFIG_MAINDBNAME, c"other".as_ptr());
            }),
            ("limit", |db| {
                sqlite3_limit(db, SQLITE_LIMIT_LENGTH, 5_000);
            }),
            ("limit of a program", |db| {
                sqlite3_limit(db, SQLITE_LIMIT_VDBE_OP, 9_000);
            }),
            ("codes", |db| {
                sqlite3_extended_result_codes(db, 0);
            }),
            ("timeout", |db| {
                sqlite3_busy_timeout(db, 7);
            }),
            ("extensions", |db| {
                sqlite3_enable_load_extension(db, 1);
            }),
            ("checkpoints", |db| {
                sqlite3_wal_autocheckpoint(db, 7);
            }),
            ("collations", |db| {
                sqlite3_collation_needed(db, ptr::null_mut(), Some(collates));
            }),
            ("rowid", |db| sqlite3_set_last_insert_rowid(db, 77)),
            ("overloaded", |db| {
                sqlite3_overload_function(db, c"overloaded".as_ptr(), 1);
            }),
            ("size", |db| {
                let mut most: i64 = 1_000_000;
                let most = (&raw mut most).cast();
                sqlite3_file_control(db, ptr::null(), SQLITE_FCNTL_SIZE_LIMIT, most);
            }),
            ("a module", |db| {
                let name = c"a_module_of_a_test".as_ptr();
                sqlite3_create_module_v2(db, name, module(), ptr::null_mut(), None);
            }),
            ("no modules", |db| {
                sqlite3_drop_modules(db, ptr::null_mut());
            }),
        ]
    };
    run(async {
        let engine = engine().await;
        let fresh = seen(&engine).await;
        for (name, change) in changes {
            let test = begin(&engine).await;
            let mut connection = acquired(&test).await;
            let mut handle = connection.lock_handle().await.unwrap();
            let db = handle.as_raw_handle().as_ptr();
            change(db);
            drop(handle);
            drop(connection);
            finish(test).await;
            assert_eq!(seen(&engine).await, fresh, "{name}");
            expect_guarded(&engine).await;
        }
        // SAFETY: As above.
        let pages = |db| unsafe {
            sqlite3_autovacuum_pages(db, Some(no_pages), ptr::null_mut(), None);
        };
        finish(with_handle(&engine, |handle| pages(handle.as_raw_handle().as_ptr())).await).await;
        let called = CALLED.load(Ordering::Relaxed);
        assert_eq!(seen(&engine).await, fresh);
        assert_eq!(CALLED.load(Ordering::Relaxed), called);
    });
}

/// What SQLite lists nowhere: a test that does this by functions of the library wants a database of its own.
#[test]
fn what_sqlite_lists_nowhere_stays_with_a_connection_and_not_with_a_database() {
    const NAME: &CStr = c"of a test";
    run(async {
        let engine = engine().await;
        for (isolation, stays) in [(Isolation::Transaction, true), (Isolation::Database, false)] {
            let look = async |is_first: bool| {
                let test = engine.isolate(isolation, "shop::looks").await.unwrap();
                let mut connection = acquired(&test).await;
                let mut handle = connection.lock_handle().await.unwrap();
                let db = handle.as_raw_handle().as_ptr();
                // SAFETY: The connection is open, and locked for us; what it is given lives as long as the program.
                let seen = unsafe {
                    if is_first {
                        let data = (&raw const CALLED).cast_mut().cast();
                        sqlite3_set_clientdata(db, NAME.as_ptr(), data, None);
                        let name = c"json_tree".as_ptr();
                        sqlite3_create_module_v2(db, name, module(), ptr::null_mut(), None);
                    }
                    let trees = c"SELECT * FROM json_tree('[]')".as_ptr();
                    let code = sqlite3_exec(db, trees, None, ptr::null_mut(), ptr::null_mut());
                    let data = sqlite3_get_clientdata(db, NAME.as_ptr());
                    (!data.is_null(), code == SQLITE_ERROR)
                };
                drop(handle);
                drop(connection);
                test.finish().await.unwrap();
                seen
            };
            assert_eq!(look(true).await, (true, true));
            assert_eq!(look(false).await, (stays, stays), "{isolation:?}");
        }
    });
}

unsafe extern "C" fn counts(_: *mut sqlite3, _: *mut *mut c_char, _: *const c_void) -> c_int {
    CALLED.fetch_add(1, Ordering::Relaxed);
    SQLITE_OK
}

/// What a test registers for all connections of its process is the process's: SQLite does not say what it is.
#[test]
#[expect(
    clippy::missing_transmute_annotations,
    reason = "versions of the bindings differ in the type"
)]
fn what_runs_for_each_new_connection_of_the_process_does_so_until_it_is_taken_back() {
    let name = "sqlite_connection::what_runs_for_each_new_connection_of_the_process_does_so_until_it_is_taken_back";
    let test = async {
        let engine = engine().await;
        let calls = async || {
            let before = CALLED.load(Ordering::Relaxed);
            let test = engine.isolate(Isolation::Database, "shop::opens").await;
            finish(test.unwrap()).await;
            CALLED.load(Ordering::Relaxed) - before
        };
        // Which type the function has depends on the version.
        let counts = counts as *const ();
        // SAFETY: The function lives as long as the program, and has the parameters that SQLite's documentation names.
        unsafe { sqlite3_auto_extension(std::mem::transmute(counts)) };
        assert!(calls().await > 0);
        assert!(calls().await > 0);
        // SAFETY: As above.
        unsafe { sqlite3_cancel_auto_extension(std::mem::transmute(counts)) };
        assert_eq!(calls().await, 0);
    };
    in_its_own_process(name, || run(test));
}

#[test]
fn a_system_of_files_that_a_test_makes_the_default_one_is_not_that_of_the_next_test() {
    let name = "sqlite_connection::a_system_of_files_that_a_test_makes_the_default_one_is_not_that_of_the_next_test";
    let test = async {
        let engine = engine().await;
        // SAFETY: Asks for the default one, which lives as long as the program, and so does its copy.
        let (files, copy): (_, *mut sqlite3_vfs) = unsafe {
            let files = sqlite3_vfs_find(ptr::null());
            let mut copy = *files;
            copy.zName = c"of a test".as_ptr();
            copy.pNext = ptr::null_mut();
            (files, Box::leak(Box::new(copy)))
        };
        let test = engine.isolate(Isolation::Database, "shop::guilty").await;
        // SAFETY: As above.
        unsafe { sqlite3_vfs_register(copy, 1) };
        let error = test.unwrap().finish().await.unwrap_err().to_string();
        assert!(
            error.contains("sqlite3_vfs_register(`of a test`)"),
            "{error}"
        );
        // SAFETY: As above.
        unsafe {
            assert_eq!(sqlite3_vfs_find(ptr::null()), files);
            sqlite3_vfs_unregister(copy);
        }
    };
    in_its_own_process(name, || run(test));
}
