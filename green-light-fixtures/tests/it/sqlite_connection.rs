//! What a test does to its connection of SQLite itself, by the driver's handle or by SQL: the next test has a
//! connection that is as new.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use green_light_fixtures::{Engine, Transaction};
use sea_orm::{ConnectionTrait as _, TransactionTrait as _};
use sqlx::{Sqlite, pool::PoolConnection, sqlite::LockedSqliteHandle};

use crate::support::{begin, caught, count, engine, expect_clean, finish, insert, number, run};

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
            "SELECT count(*) FROM u; PRAGMA table_info(u); PRAGMA foreign_keys = ON",
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
