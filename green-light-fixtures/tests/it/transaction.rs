//! The transaction of a test: used again, thrown away, marked and come back to.
//!
//! What the code under test does inside it is in [`service`](crate::service).

use std::{any::Any, sync::Arc};

use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, IsolationLevel,
    SqliteTransactionMode, TransactionOptions, TransactionTrait,
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

/// Which pool of sqlx a session has. Each pool has options of its own, which stay where they are while they are kept.
fn options_of_pool(db: &DatabaseConnection, backend: Backend) -> Arc<dyn Any + Send + Sync> {
    match backend {
        Backend::Postgres => db.get_postgres_connection_pool().connect_options(),
        Backend::MySql => db.get_mysql_connection_pool().connect_options(),
        _ => db.get_sqlite_connection_pool().connect_options(),
    }
}

async fn a_pool_that_nothing_kept_serves_the_next_tests(backend: Backend) {
    const TESTS: usize = 40;
    let engine = engine_on(backend).await;
    let mut pools: Vec<Arc<dyn Any + Send + Sync>> = Vec::new();
    for _ in 0..TESTS {
        let test = engine.transaction().await.unwrap();
        let options = options_of_pool(&test.connection(), backend);
        if !pools.iter().any(|known| Arc::ptr_eq(known, &options)) {
            pools.push(options);
        }
        let tx = test.connection().begin().await.unwrap();
        insert(&tx, "one").await.unwrap();
        // It is on its way back when the test ends.
        tx.rollback().await.unwrap();
        finish(test).await;
    }
    // A busy machine may take so long to give a connection back that it seems to be kept.
    assert!(
        pools.len() < TESTS / 2,
        "{} pools for {TESTS} tests",
        pools.len()
    );
    expect_clean(&engine).await;
}

fn timers<DB: sqlx::Database>(pool: &sqlx::Pool<DB>) -> (bool, u32) {
    let options = pool.options();
    let has_timers = options.get_idle_timeout().is_some()
        || options.get_max_lifetime().is_some()
        || options.get_test_before_acquire();
    (has_timers, options.get_max_connections())
}

async fn no_timer_of_the_pool_can_replace_the_connection(backend: Backend) {
    let engine = engine_on(backend).await;
    let test = engine.transaction().await.unwrap();
    let db = test.connection();
    let found = match backend {
        Backend::Postgres => timers(db.get_postgres_connection_pool()),
        Backend::MySql => timers(db.get_mysql_connection_pool()),
        _ => timers(db.get_sqlite_connection_pool()),
    };
    assert_eq!(found, (false, 1));
    drop(db);
    finish(test).await;
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
    // A statement sent as text may stay in a session of MySQL, which is then replaced by another one.
    assert_eq!(engine.stats().slots_discarded, 0);
}

on_each_backend! {
    what_a_test_writes_is_gone_after_it,
    a_transaction_that_is_never_finished_leaves_nothing,
    a_transaction_that_is_never_used_costs_its_slot_nothing,
    a_pool_that_nothing_kept_serves_the_next_tests,
    no_timer_of_the_pool_can_replace_the_connection,
    savepoints_come_back_to_their_mark,
}
