//! Those who are not the one connection of a test: a pool that the application opens itself, a helper
//! of the test, a listener, another runtime. What they see of it, and what it sees of them.

use std::time::Duration;

use green_light_fixtures::{Backend, Engine, Isolation, Session};
use sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DbErr, TransactionTrait as _,
};
use sqlx::postgres::PgListener;

use crate::support::{count, engine_on, expect_clean, finish, insert, number, run};

/// What an application does that reads the URL of its database from its settings.
async fn own_pool(session: &Session) -> DatabaseConnection {
    let mut options = ConnectOptions::new(session.url().expose().to_owned());
    options.max_connections(2).sqlx_logging(false);
    Database::connect(options).await.unwrap()
}

async fn a_pool_of_its_own_sees_nothing_of_the_test(backend: Backend) {
    let engine = engine_on(backend).await;
    for _ in 0..2 {
        let test = engine.transaction_for("shop::test").await.unwrap();
        let session = test.session();
        insert(&session, "mine").await.unwrap();
        let own = own_pool(&session).await;
        assert_eq!(count(&own).await, 1, "the template");
        own.close().await.unwrap();
        drop(session);
        finish(test).await;
    }
    expect_clean(&engine).await;
}

async fn what_a_pool_of_its_own_writes_reaches_no_later_test(backend: Backend) {
    let engine = engine_on(backend).await;
    for _ in 0..2 {
        let test = engine.transaction_for("shop::test").await.unwrap();
        let session = test.session();
        assert_eq!(count(&session).await, 1);
        let own = own_pool(&session).await;
        let written = insert(&own, "its").await;
        match backend {
            Backend::Postgres => {
                let refused = written.unwrap_err().to_string();
                assert!(refused.contains("read-only transaction"), "{refused}");
            }
            _ => written.unwrap(),
        }
        own.close().await.unwrap();
        drop(session);
        finish(test).await;
        expect_clean(&engine).await;
    }
}

/// SQLite's database is in memory, and so is that of the pool: another one.
#[test]
fn a_pool_of_its_own_finds_no_tables_in_memory() {
    run(async {
        let engine = engine_on(Backend::Sqlite).await;
        let test = engine.transaction_for("shop::test").await.unwrap();
        let own = own_pool(&test.session()).await;
        let error = insert(&own, "its").await.unwrap_err().to_string();
        assert!(error.contains("no such table"), "{error}");
        own.close().await.unwrap();
        finish(test).await;
        expect_clean(&engine).await;
    });
}

/// Uses `db` on a runtime of its own, which ends only when `end` comes.
fn elsewhere(db: &DatabaseConnection, end: &std::sync::mpsc::Receiver<()>) -> Result<(), DbErr> {
    let other = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let done = other.block_on(async {
        let tx = db.begin().await?;
        insert(&tx, "there").await?;
        tx.commit().await?;
        insert(db, "there, alone").await
    });
    let _ = end.recv();
    done
}

async fn another_runtime_can_use_the_connection(backend: Backend) {
    let engine = engine_on(backend).await;
    let test = engine.transaction_for("shop::test").await.unwrap();
    let db = test.connection();
    insert(&db, "here").await.unwrap();
    let (end, ends) = std::sync::mpsc::channel();
    let own = db.clone();
    let thread = std::thread::spawn(move || elsewhere(&own, &ends));
    while count(&db).await < 4 {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    insert(&db, "here again").await.unwrap();
    end.send(()).unwrap();
    let done = tokio::task::spawn_blocking(|| thread.join().unwrap()).await;
    done.unwrap().unwrap();
    assert_eq!(count(&db).await, 5);
    drop(db);
    finish(test).await;
    expect_clean(&engine).await;
}

/// sqlx gives a connection back in a task, which a runtime that ends at once never runs.
async fn a_runtime_that_ends_takes_the_connection_along_and_that_is_told(backend: Backend) {
    let engine = engine_on(backend).await;
    let test = engine.transaction_for("shop::test").await.unwrap();
    let db = test.connection();
    insert(&db, "here").await.unwrap();
    let own = db.clone();
    let thread = std::thread::spawn(move || {
        let other = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        other.block_on(insert(&own, "there"))
    });
    let done = tokio::task::spawn_blocking(|| thread.join().unwrap()).await;
    done.unwrap().unwrap();
    assert_eq!(count(&db).await, 1, "the rows went with the connection");
    drop(db);
    let error = test.finish().await.unwrap_err();
    assert!(
        error.is_breach() && error.to_string().contains("lost its connection"),
        "{error}"
    );
    expect_clean(&engine).await;
}

#[test]
fn a_notification_of_a_test_is_never_sent() {
    run(async {
        let engine = engine_on(Backend::Postgres).await;
        let test = engine.transaction_for("shop::test").await.unwrap();
        let session = test.session();
        let mut listener = PgListener::connect(session.url().expose()).await.unwrap();
        listener.listen("news").await.unwrap();
        let tx = session.begin().await.unwrap();
        tx.execute_unprepared("NOTIFY news, 'hello'").await.unwrap();
        tx.commit().await.unwrap();
        drop(session);
        let heard = tokio::time::timeout(Duration::from_millis(100), listener.recv()).await;
        assert!(heard.is_err(), "{heard:?}");
        finish(test).await;
        // No later test gets the database, which is dropped at some time, and its connections with it.
        let heard = tokio::time::timeout(Duration::from_millis(200), listener.recv()).await;
        assert!(!matches!(heard, Ok(Ok(_))), "{heard:?}");
        drop(listener);
        expect_clean(&engine).await;
    });
}

/// The id of the row that a test writes.
async fn written_by(engine: &Engine, isolation: Isolation) -> i64 {
    let session = engine.session(isolation).await.unwrap();
    insert(&session, "mine").await.unwrap();
    let id = number(&session, "SELECT max(id) FROM u").await;
    session.finish().await.unwrap();
    id
}

async fn ids_go_on_in_a_transaction_and_start_anew_in_a_database(backend: Backend) {
    let engine = engine_on(backend).await;
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(written_by(&engine, Isolation::Transaction).await);
        assert_eq!(written_by(&engine, Isolation::Database).await, 2);
    }
    match backend {
        Backend::Sqlite => assert_eq!(ids, [2, 2, 2], "SQLite takes them back"),
        _ => assert_eq!(ids, [2, 3, 4], "a rollback does not take them back"),
    }
}

#[test]
fn a_test_that_only_reads_on_mysql_does_not_see_what_a_helper_commits() {
    run(async {
        let engine = engine_on(Backend::MySql).await;
        let test = engine.transaction_for("shop::test").await.unwrap();
        let session = test.session();
        assert_eq!(count(&session).await, 1);
        let helper = own_pool(&session).await;
        insert(&helper, "helper").await.unwrap();
        assert_eq!(count(&helper).await, 2);
        assert_eq!(count(&session).await, 1, "the snapshot of its first read");
        helper.close().await.unwrap();
        drop(session);
        finish(test).await;
        expect_clean(&engine).await;
    });
}

/// A table that a test has read cannot be changed by others before it ends.
#[test]
fn a_definition_beside_a_test_on_mysql_waits_for_it_no_longer_than_it_was_told_to() {
    run(async {
        let engine = engine_on(Backend::MySql).await;
        let test = engine.transaction_for("shop::test").await.unwrap();
        let session = test.session();
        assert_eq!(count(&session).await, 1);
        let helper = own_pool(&session).await;
        let sql = "SET SESSION lock_wait_timeout = 1; ALTER TABLE u ADD COLUMN age int";
        let error = helper
            .execute_unprepared(sql)
            .await
            .unwrap_err()
            .to_string();
        assert!(error.contains("Lock wait timeout"), "{error}");
        assert_eq!(count(&session).await, 1);
        helper.close().await.unwrap();
        drop(session);
        finish(test).await;
        expect_clean(&engine).await;
    });
}

/// The end of a test does not wait for such a lock.
#[test]
fn a_leaked_reader_on_mysql_does_not_keep_its_test_from_ending() {
    run(async {
        let engine = engine_on(Backend::MySql).await;
        let session = engine.session(Isolation::Database).await.unwrap();
        let leaked = own_pool(&session).await;
        let reads = leaked.begin().await.unwrap();
        assert_eq!(count(&reads).await, 1);
        let ended = tokio::time::timeout(Duration::from_secs(8), session.finish()).await;
        ended.expect("it waits for nobody").unwrap();
        drop(reads);
        expect_clean(&engine).await;
    });
}

on_each_backend! {
    another_runtime_can_use_the_connection,
    a_runtime_that_ends_takes_the_connection_along_and_that_is_told,
    ids_go_on_in_a_transaction_and_start_anew_in_a_database,
}
on_backend!(
    on_postgres,
    Postgres,
    a_pool_of_its_own_sees_nothing_of_the_test,
    what_a_pool_of_its_own_writes_reaches_no_later_test,
);
on_backend!(
    on_mysql,
    MySql,
    a_pool_of_its_own_sees_nothing_of_the_test,
    what_a_pool_of_its_own_writes_reaches_no_later_test,
);
