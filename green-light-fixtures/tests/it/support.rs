//! One runtime for all tests, as in green-light itself: pools outlive a test. And a small schema.

use std::{future::Future, sync::LazyLock, time::Duration};

use green_light_fixtures::{Engine, Schema, Transaction};
use sea_orm::{ConnectionTrait, DbBackend, Statement};
use tokio::runtime::{Builder, Runtime};

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
});

pub(crate) fn run<F: Future>(test: F) -> F::Output {
    RUNTIME.block_on(test)
}

pub(crate) fn schema() -> Schema {
    Schema::sql(
        "CREATE TABLE u (id INTEGER PRIMARY KEY, email TEXT NOT NULL UNIQUE);
         INSERT INTO u (email) VALUES ('seed');",
    )
}

pub(crate) async fn engine() -> Engine {
    Engine::builder()
        .schema(schema())
        .connection_timeout(Duration::from_millis(300))
        .teardown_timeout(Duration::from_millis(500))
        .build()
        .await
        .unwrap()
}

pub(crate) async fn insert(db: &impl ConnectionTrait, email: &str) -> Result<(), sea_orm::DbErr> {
    let sql = "INSERT INTO u (email) VALUES (?)";
    let values = [email.into()];
    db.execute_raw(Statement::from_sql_and_values(
        DbBackend::Sqlite,
        sql,
        values,
    ))
    .await
    .map(drop)
}

pub(crate) async fn number(db: &impl ConnectionTrait, sql: &str) -> i64 {
    let row = db
        .query_one_raw(Statement::from_string(DbBackend::Sqlite, sql))
        .await
        .unwrap();
    row.unwrap().try_get_by_index(0).unwrap()
}

/// How many rows `u` holds; the seed is one of them.
pub(crate) async fn count(db: &impl ConnectionTrait) -> i64 {
    number(db, "SELECT count(*) FROM u").await
}

/// Checks that the next transaction finds the template and nothing else, and that it works.
pub(crate) async fn expect_clean(engine: &Engine) {
    let next = engine.transaction_for("next").await.unwrap();
    assert_eq!(count(&next.connection()).await, 1);
    assert_eq!(
        number(
            &next.connection(),
            "SELECT count(*) FROM u WHERE email = 'seed'"
        )
        .await,
        1
    );
    insert(&next.connection(), "next").await.unwrap();
    assert_eq!(count(&next.connection()).await, 2);
    finish(next).await;
}

/// Ends a transaction that did nothing wrong.
pub(crate) async fn finish(transaction: Transaction) {
    transaction.finish().await.unwrap();
}
