//! The code under test begins, commits and rolls back as in production; nothing remains.

use std::time::Duration;

use sea_orm::{
    ConnectionTrait, DatabaseTransaction, DbErr, IsolationLevel, SqliteTransactionMode,
    TransactionOptions, TransactionTrait,
};

use green_light_fixtures::Backend;

use crate::support::{count, engine, engine_on, expect_clean, finish, insert, run};

async fn what_a_test_writes_is_gone_after_it(backend: Backend) {
    let engine = engine_on(backend).await;
    for _ in 0..3 {
        let transaction = engine.transaction().await.unwrap();
        insert(&transaction.connection(), "ann").await.unwrap();
        assert_eq!(count(&transaction.connection()).await, 2);
        finish(transaction).await;
    }
    expect_clean(&engine).await;
    let stats = engine.stats();
    assert_eq!(
        (
            stats.slots_opened,
            stats.slots_discarded,
            stats.transactions
        ),
        (1, 0, 4)
    );
}

async fn commit_rollback_nested_and_dropped_transactions_behave_as_in_production(backend: Backend) {
    let engine = engine_on(backend).await;
    let test = engine.transaction().await.unwrap();
    let connection = test.connection();
    let db = &connection;

    let tx = db.begin().await.unwrap();
    insert(&tx, "committed").await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(count(db).await, 2);

    let tx = db.begin().await.unwrap();
    insert(&tx, "rolled back").await.unwrap();
    tx.rollback().await.unwrap();
    assert_eq!(count(db).await, 2);

    let outer = db.begin().await.unwrap();
    insert(&outer, "outer").await.unwrap();
    let inner = outer.begin().await.unwrap();
    insert(&inner, "inner").await.unwrap();
    inner.rollback().await.unwrap();
    let inner = outer.begin().await.unwrap();
    insert(&inner, "inner 2").await.unwrap();
    inner.commit().await.unwrap();
    assert_eq!(count(&outer).await, 4);
    outer.commit().await.unwrap();
    assert_eq!(count(db).await, 4);

    let tx = db.begin().await.unwrap();
    insert(&tx, "dropped").await.unwrap();
    drop(tx);
    assert_eq!(count(db).await, 4);

    drop(connection);
    finish(test).await;
    expect_clean(&engine).await;
    assert_eq!(engine.stats().slots_discarded, 0);
}

async fn closure_transactions_commit_on_ok_and_roll_back_on_err(backend: Backend) {
    let engine = engine_on(backend).await;
    let test = engine.transaction().await.unwrap();
    let db = &test.connection();
    db.transaction::<_, (), DbErr>(|tx| Box::pin(async move { insert(tx, "ok").await }))
        .await
        .unwrap();
    db.transaction::<_, (), DbErr>(|tx| {
        Box::pin(async move {
            insert(tx, "err").await?;
            insert(tx, "seed").await
        })
    })
    .await
    .unwrap_err();
    assert_eq!(count(db).await, 2);
    finish(test).await;
    expect_clean(&engine).await;
}

async fn a_query_works_after_an_sql_error(backend: Backend) {
    let engine = engine_on(backend).await;
    let test = engine.transaction().await.unwrap();
    let db = &test.connection();
    insert(db, "seed").await.unwrap_err();
    assert_eq!(count(db).await, 1);
    let tx = db.begin().await.unwrap();
    insert(&tx, "seed").await.unwrap_err();
    let after = insert(&tx, "after").await;
    if backend == Backend::Postgres {
        // As in production: an error ends the transaction it happens in.
        after.unwrap_err();
        tx.rollback().await.unwrap();
        insert(db, "after").await.unwrap();
    } else {
        after.unwrap();
        tx.commit().await.unwrap();
    }
    assert_eq!(count(db).await, 2);
    finish(test).await;
    expect_clean(&engine).await;
}

#[test]
fn isolation_levels_and_sqlite_modes_are_accepted_and_nest() {
    run(async {
        let engine = engine().await;
        let test = engine.transaction().await.unwrap();
        let db = &test.connection();
        let tx = db
            .begin_with_config(Some(IsolationLevel::Serializable), None)
            .await
            .unwrap();
        insert(&tx, "serializable").await.unwrap();
        tx.commit().await.unwrap();
        let options = TransactionOptions {
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..Default::default()
        };
        let tx = db.begin_with_options(options).await.unwrap();
        insert(&tx, "immediate").await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(count(db).await, 3);
        finish(test).await;
        expect_clean(&engine).await;
    });
}

async fn a_panic_drops_nested_transactions_in_order(backend: Backend) {
    let engine = engine_on(backend).await;
    let test = engine.transaction().await.unwrap();
    insert(&test.connection(), "before").await.unwrap();
    let db = test.connection().clone();
    let task = tokio::spawn(async move {
        let outer = db.begin().await.unwrap();
        insert(&outer, "outer").await.unwrap();
        let inner = outer.begin().await.unwrap();
        insert(&inner, "inner").await.unwrap();
        if count(&inner).await == 4 {
            panic!("as a failing assertion does");
        }
    });
    assert!(task.await.unwrap_err().is_panic());
    assert_eq!(count(&test.connection()).await, 2);
    finish(test).await;
    expect_clean(&engine).await;
}

async fn a_transaction_that_is_never_finished_leaves_nothing(backend: Backend) {
    let engine = engine_on(backend).await;
    let test = engine.transaction().await.unwrap();
    insert(&test.connection(), "lost").await.unwrap();
    drop(test);
    expect_clean(&engine).await;
    let stats = engine.stats();
    assert_eq!(
        (
            stats.slots_opened,
            stats.slots_discarded,
            stats.transactions_open
        ),
        (2, 1, 0)
    );
}

async fn a_transaction_that_is_never_used_costs_its_slot_nothing(backend: Backend) {
    let engine = engine_on(backend).await;
    for _ in 0..5 {
        finish(engine.transaction().await.unwrap()).await;
    }
    assert_eq!(engine.stats().slots_opened, 1);
    expect_clean(&engine).await;
}

async fn a_cancelled_begin_loses_nothing(backend: Backend) {
    let engine = engine_on(backend).await;
    let test = engine.transaction().await.unwrap();
    let connection = test.connection();
    let db = &connection;
    insert(db, "kept").await.unwrap();
    for nanos in 0..200 {
        let _ = tokio::time::timeout(Duration::from_nanos(nanos * 500), db.begin()).await;
        assert_eq!(count(db).await, 2, "after {nanos}");
    }
    drop(connection);
    finish(test).await;
    expect_clean(&engine).await;
    // The history of MySQL is too short for so many statements, so there a new connection is made.
    if backend != Backend::MySql {
        assert_eq!(engine.stats().slots_discarded, 0);
    }
}

async fn a_cancelled_query_or_commit_neither_leaks_nor_poisons(backend: Backend) {
    let engine = engine_on(backend).await;
    let test = engine.transaction().await.unwrap();
    let db = &test.connection();
    insert(db, "kept").await.unwrap();
    for round in 0..200_u64 {
        let work = async {
            let tx = db.begin().await?;
            insert(&tx, &format!("round {round}")).await?;
            let nested = tx.begin().await?;
            insert(&nested, &format!("nested {round}")).await?;
            nested.commit().await?;
            tx.rollback().await
        };
        let _: Result<Result<(), DbErr>, _> =
            tokio::time::timeout(Duration::from_micros(round), work).await;
        assert_eq!(count(db).await, 2, "after {round}");
    }
    finish(test).await;
    expect_clean(&engine).await;
}

async fn concurrent_queries_on_one_session_are_correct_and_take_turns(backend: Backend) {
    let engine = engine_on(backend).await;
    let test = engine.transaction().await.unwrap();
    let db = &test.connection();
    let insert_some = |name: &'static str| async move {
        for i in 0..20 {
            insert(db, &format!("{name} {i}")).await?;
        }
        Ok::<_, DbErr>(())
    };
    tokio::try_join!(insert_some("a"), insert_some("b"), insert_some("c")).unwrap();
    assert_eq!(count(db).await, 61);
    finish(test).await;
    expect_clean(&engine).await;
}

async fn savepoints_come_back_to_their_mark(backend: Backend) {
    let engine = engine_on(backend).await;
    let test = engine.transaction().await.unwrap();
    let connection = test.connection();
    let db = &connection;
    insert(db, "before").await.unwrap();
    let mark = test.savepoint().await.unwrap();
    let tx: DatabaseTransaction = db.begin().await.unwrap();
    insert(&tx, "after").await.unwrap();
    tx.commit().await.unwrap();
    db.execute_unprepared("DELETE FROM u WHERE email = 'before'")
        .await
        .unwrap();
    mark.rollback().await.unwrap();
    assert_eq!(count(db).await, 2);
    insert(db, "again").await.unwrap();
    mark.rollback().await.unwrap();
    assert_eq!(count(db).await, 2);
    insert(db, "kept").await.unwrap();
    mark.release().await.unwrap();
    assert_eq!(count(db).await, 3);
    drop(connection);
    finish(test).await;
    expect_clean(&engine).await;
    assert_eq!(engine.stats().slots_discarded, 0);
}

on_each_backend! {
    what_a_test_writes_is_gone_after_it,
    commit_rollback_nested_and_dropped_transactions_behave_as_in_production,
    closure_transactions_commit_on_ok_and_roll_back_on_err,
    a_query_works_after_an_sql_error,
    a_panic_drops_nested_transactions_in_order,
    a_transaction_that_is_never_finished_leaves_nothing,
    a_transaction_that_is_never_used_costs_its_slot_nothing,
    a_cancelled_begin_loses_nothing,
    a_cancelled_query_or_commit_neither_leaks_nor_poisons,
    concurrent_queries_on_one_session_are_correct_and_take_turns,
    savepoints_come_back_to_their_mark,
}
