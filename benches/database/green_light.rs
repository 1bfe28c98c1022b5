//! Tests with a session. The environment says which backend, which migrations and which isolation, and
//! how many milliseconds a test does nothing when it has done its work.

use std::{
    env,
    sync::LazyLock,
    time::{Duration, Instant},
};

use bench::{paused, tick};

use green_light::prelude::*;
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, DbErr, Statement, TransactionTrait};

#[fixture(overrides = green_light::fixtures::backend)]
fn backend() -> Backend {
    let name = env::var("BENCH_BACKEND").expect("a backend");
    name.parse().expect("the name of a backend")
}

#[fixture(overrides = green_light::fixtures::schema)]
fn schema() -> Schema {
    Schema::sql_dir(env::var("BENCH_MIGRATIONS").expect("a directory"))
}

async fn work(db: &impl ConnectionTrait) -> Result<(), DbErr> {
    let backend = db.get_database_backend();
    let sql = match backend {
        DbBackend::Postgres => "INSERT INTO book (id, author_id, title) VALUES (1, 1, $1)",
        _ => "INSERT INTO book (id, author_id, title) VALUES (1, 1, ?)",
    };
    let title = ["The Dispossessed".into()];
    let book = Statement::from_sql_and_values(backend, sql, title);
    assert_eq!(db.execute_raw(book).await?.rows_affected(), 1);
    Ok(())
}

/// Meanwhile databases are made for the tests to come.
async fn pause() {
    static LONG: LazyLock<Option<u64>> =
        LazyLock::new(|| env::var("BENCH_PAUSE").ok()?.parse().ok());
    if let Some(long) = *LONG {
        let begun = Instant::now();
        tokio::time::sleep(Duration::from_millis(long)).await;
        paused(begun.elapsed());
    }
}

async fn two(db: &DatabaseConnection) -> Result<(), DbErr> {
    for _ in 0..2 {
        let inner = db.begin().await?;
        work(&inner).await?;
        inner.rollback().await?;
    }
    Ok(())
}

// Repeated.
#[green_light::test]
async fn one_0(session: Session) -> Result<(), DbErr> {
    tick();
    work(session.connection()).await?;
    pause().await;
    Ok(())
}

#[green_light::test]
async fn two_0(session: Session) -> Result<(), DbErr> {
    tick();
    two(session.connection()).await
}
