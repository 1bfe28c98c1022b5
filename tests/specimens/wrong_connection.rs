//! Connections that are taken or closed, and transactions that cannot end.

use std::sync::OnceLock;
use std::time::Duration;

use futures::future::{FutureExt, poll_immediate};
use green_light::prelude::*;
use sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DbErr, TransactionTrait,
};

/// A pool of the application's own, of one connection.
#[fixture]
async fn pool(out: Yield<DatabaseConnection>) -> Result<(), DbErr> {
    let mut options = ConnectOptions::new("sqlite::memory:");
    options
        .max_connections(1)
        .acquire_timeout(Duration::from_millis(200));
    let pool = Database::connect(options).await?;
    out.give(pool.clone()).await;
    pool.close().await
}

#[green_light::test]
async fn a_the_pool_is_taken(pool: DatabaseConnection) -> Result<(), DbErr> {
    let _transaction = pool.begin().await?;
    pool.execute_unprepared("SELECT 1").await.map(drop)
}

#[green_light::test]
async fn b_the_pool_is_taken_and_the_error_unwrapped(pool: DatabaseConnection) {
    let _transaction = pool.begin().await.expect("a connection");
    pool.execute_unprepared("SELECT 1").await.unwrap();
}

/// Sets its table up in the only connection, and forgets to let go of it.
#[fixture]
async fn tables(pool: DatabaseConnection) -> Result<(), DbErr> {
    let transaction = pool.begin().await?;
    transaction.execute_unprepared("CREATE TABLE a (x)").await?;
    pool.execute_unprepared("INSERT INTO a VALUES (1)").await?;
    transaction.commit().await
}

#[green_light::test(uses(tables))]
fn c_the_pool_is_taken_in_a_fixture() {}

static KEPT: OnceLock<DatabaseConnection> = OnceLock::new();

#[green_light::test]
fn d_keeps_the_pool(pool: DatabaseConnection) {
    KEPT.set(pool).expect("it is the first one");
}

#[green_light::test]
async fn e_the_pool_is_closed() -> Result<(), DbErr> {
    let pool = KEPT.get().expect("the test before has kept it");
    pool.execute_unprepared("SELECT 1").await.map(drop)
}

#[green_light::test]
async fn f_a_transaction_is_in_use(pool: DatabaseConnection) -> Result<(), DbErr> {
    const COUNT: &str =
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000)
        SELECT max(i) FROM n";
    let transaction = pool.begin().await?;
    let inner = transaction.begin().await?;
    let mut counting = inner.execute_unprepared(COUNT).boxed();
    assert!(poll_immediate(&mut counting).await.is_none());
    drop(transaction);
    Ok(())
}

#[green_light::test]
fn g_a_thread_is_in_no_runtime() {
    let connect = || futures::executor::block_on(Database::connect("sqlite::memory:"));
    let connected = std::thread::spawn(connect).join();
    drop(connected.expect("the thread ends"));
}
