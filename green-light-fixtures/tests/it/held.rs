//! The one connection of a test is taken: bounded, explained, and no danger to the next test.

use std::time::{Duration, Instant};

use futures::TryStreamExt;
use sea_orm::{ConnAcquireErr, ConnectionTrait, DbErr, Statement, StreamTrait, TransactionTrait};

use green_light_fixtures::Backend;

use crate::support::{count, engine, engine_on, expect_clean, finish, insert, run};

/// What the engine of these tests waits for a connection, and some time for the machine.
const BOUND: Duration = Duration::from_secs(4);

async fn a_query_beside_an_open_transaction_fails_in_time_and_says_where_it_was_begun(
    backend: Backend,
) {
    let engine = engine_on(backend).await;
    let test = engine.transaction_for("shop::waits").await.unwrap();
    let session = test.session();
    let line = line!() + 1;
    let tx = session.begin().await.unwrap();
    insert(&tx, "in the transaction").await.unwrap();
    let started = Instant::now();
    let error = insert(&session, "beside it").await.unwrap_err().to_string();
    assert!(started.elapsed() < BOUND);
    assert!(
        error.contains("the one connection of this test was not free"),
        "{error}"
    );
    assert!(error.contains(&format!("held.rs:{line}:")), "{error}");
    assert!(
        error.contains("its last statement: `INSERT INTO u (email) VALUES ("),
        "{error}"
    );
    assert!(
        error.contains("help: while a transaction is open, pass `&transaction`"),
        "{error}"
    );
    tx.commit().await.unwrap();
    insert(&session, "afterwards").await.unwrap();
    assert_eq!(count(&session).await, 3);
    drop(session);
    finish(test).await;
    expect_clean(&engine).await;
    assert_eq!(engine.stats().slots_discarded, 0);
}

async fn a_plain_connection_fails_in_time_too_and_the_transaction_knows_who_held_it(
    backend: Backend,
) {
    let engine = engine_on(backend).await;
    let test = engine.transaction_for("shop::waits").await.unwrap();
    let db = test.connection();
    assert_eq!(test.contention(), None);
    let tx = db.begin().await.unwrap();
    insert(&tx, "in the transaction").await.unwrap();
    let error = insert(&db, "beside it").await.unwrap_err();
    assert_eq!(error, DbErr::ConnectionAcquire(ConnAcquireErr::Timeout));
    drop(tx);
    assert_eq!(count(&db).await, 1);
    let text = test.contention().unwrap();
    assert!(
        text.contains("last statement: `INSERT INTO u") && text.contains("help: "),
        "{text}"
    );
    drop(db);
    finish(test).await;
    expect_clean(&engine).await;
}

async fn a_query_inside_a_stream_fails_in_time_and_works_after_it(backend: Backend) {
    let engine = engine_on(backend).await;
    let test = engine.transaction().await.unwrap();
    let session = test.session();
    let all = Statement::from_string(backend.dialect(), "SELECT * FROM u");
    let mut rows = session.stream_raw(all).await.unwrap();
    assert!(rows.try_next().await.unwrap().is_some());
    let error = insert(&session, "inside").await.unwrap_err().to_string();
    assert!(
        error.contains("finish a stream before the next query"),
        "{error}"
    );
    drop(rows);
    insert(&session, "after").await.unwrap();
    assert_eq!(count(&session).await, 2);
    drop(session);
    finish(test).await;
    expect_clean(&engine).await;
}

async fn a_forgotten_transaction_ends_with_its_test_and_is_reported(backend: Backend) {
    let engine = engine_on(backend).await;
    let test = engine.transaction_for("shop::forgets").await.unwrap();
    let tx = test.connection().begin().await.unwrap();
    insert(&tx, "forgotten").await.unwrap();
    std::mem::forget(tx);
    let started = Instant::now();
    let error = test.finish().await.unwrap_err();
    assert!(started.elapsed() < BOUND);
    assert!(error.is_held(), "{error}");
    let text = error.to_string();
    assert!(
        text.contains("test `shop::forgets` ended, but its connection was still in use"),
        "{text}"
    );
    assert!(text.contains("last statement: `INSERT INTO u"), "{text}");
    expect_clean(&engine).await;
    assert_eq!(engine.stats().slots_discarded, 1);
}

#[test]
fn a_running_query_is_interrupted_when_its_test_has_ended() {
    run(async {
        let engine = engine().await;
        let test = engine.transaction_for("shop::loops").await.unwrap();
        let db = test.connection();
        let (started, running) = tokio::sync::oneshot::channel();
        let endless = tokio::spawn(async move {
            let tx = db.begin().await.unwrap();
            started.send(()).unwrap();
            let sql = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT max(x) FROM n";
            tx.execute_unprepared(sql).await.map(drop)
        });
        running.await.unwrap();
        assert!(test.finish().await.unwrap_err().is_held());
        let ended = tokio::time::timeout(BOUND, endless).await.unwrap().unwrap();
        assert!(ended.unwrap_err().to_string().contains("interrupted"));
        expect_clean(&engine).await;
    });
}

async fn a_leaked_task_cannot_write_into_a_later_test(backend: Backend) {
    let engine = engine_on(backend).await;
    let test = engine.transaction_for("shop::leaks").await.unwrap();
    let db = test.connection();
    let (next_begun, wait) = tokio::sync::oneshot::channel();
    let leaked = tokio::spawn(async move {
        insert(&db, "during").await.unwrap();
        wait.await.unwrap();
        insert(&db, "later").await
    });
    while count(&test.session()).await < 2 {
        tokio::task::yield_now().await;
    }
    finish(test).await;
    let next = engine.transaction_for("next").await.unwrap();
    insert(&next.connection(), "mine").await.unwrap();
    next_begun.send(()).unwrap();
    let refused = leaked.await.unwrap().unwrap_err();
    assert_eq!(
        refused,
        DbErr::ConnectionAcquire(ConnAcquireErr::ConnectionClosed)
    );
    assert_eq!(count(&next.connection()).await, 2);
    finish(next).await;
    expect_clean(&engine).await;
    // What the leaked task has is a closed pool: the database is used again, by way of another one.
    assert_eq!(engine.stats().slots_discarded, 0);
    assert_eq!(engine.stats().slots_opened, 1);
}

async fn a_session_that_outlives_its_test_says_so(backend: Backend) {
    let engine = engine_on(backend).await;
    let test = engine.transaction_for("shop::over").await.unwrap();
    let session = test.session();
    insert(&session, "during").await.unwrap();
    finish(test.clone()).await;
    for session in [session, test.session()] {
        let error = insert(&session, "later").await.unwrap_err().to_string();
        assert!(
            error.contains("has ended") || error.contains("Disconnected"),
            "{error}"
        );
    }
    expect_clean(&engine).await;
}

async fn an_end_that_is_cancelled_throws_the_database_away(backend: Backend) {
    let engine = engine_on(backend).await;
    for micros in 0..30 {
        let test = engine.transaction().await.unwrap();
        insert(&test.connection(), "mine").await.unwrap();
        let _ = tokio::time::timeout(Duration::from_micros(micros), test.finish()).await;
        expect_clean(&engine).await;
    }
    assert_eq!(engine.stats().transactions_open, 0);
}

on_each_backend! {
    a_query_beside_an_open_transaction_fails_in_time_and_says_where_it_was_begun,
    a_plain_connection_fails_in_time_too_and_the_transaction_knows_who_held_it,
    a_query_inside_a_stream_fails_in_time_and_works_after_it,
    a_forgotten_transaction_ends_with_its_test_and_is_reported,
    a_leaked_task_cannot_write_into_a_later_test,
    a_session_that_outlives_its_test_says_so,
    an_end_that_is_cancelled_throws_the_database_away,
}
