//! What one would write by hand: a kept connection, begin, work, rollback.

use std::{env, fs, path::PathBuf, sync::OnceLock};

use bench::tick;
use sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DbBackend, DbErr, Statement,
    TransactionTrait,
};
use tokio::runtime::Runtime;

static KEPT: OnceLock<(Runtime, DatabaseConnection)> = OnceLock::new();

fn kept() -> &'static (Runtime, DatabaseConnection) {
    KEPT.get_or_init(|| {
        let runtime = Runtime::new().expect("a runtime");
        let db = runtime.block_on(connect()).expect("a database");
        (runtime, db)
    })
}

async fn connect() -> Result<DatabaseConnection, DbErr> {
    let mut options = ConnectOptions::new(env::var("DATABASE_URL").expect("a database"));
    options
        .min_connections(1)
        .max_connections(1)
        .test_before_acquire(false)
        .sqlx_logging(false);
    let db = Database::connect(options).await?;
    if db.execute_unprepared("SELECT 1 FROM author").await.is_err() {
        for migration in migrations() {
            db.execute_unprepared(&migration).await?;
        }
    }
    Ok(db)
}

fn migrations() -> Vec<String> {
    let directory = env::var("BENCH_MIGRATIONS").expect("a directory");
    let entries = fs::read_dir(directory).expect("migrations");
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    let texts = paths.into_iter().map(fs::read_to_string);
    texts.collect::<Result<_, _>>().expect("a migration")
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

async fn one(db: &DatabaseConnection) -> Result<(), DbErr> {
    let transaction = db.begin().await?;
    tick();
    work(&transaction).await?;
    transaction.rollback().await
}

async fn two(db: &DatabaseConnection) -> Result<(), DbErr> {
    let transaction = db.begin().await?;
    tick();
    for _ in 0..2 {
        let inner = transaction.begin().await?;
        work(&inner).await?;
        inner.rollback().await?;
    }
    transaction.rollback().await
}

fn run_one() -> Result<(), DbErr> {
    let (runtime, db) = kept();
    runtime.block_on(one(db))
}

fn run_two() -> Result<(), DbErr> {
    let (runtime, db) = kept();
    runtime.block_on(two(db))
}

// Repeated.
#[test]
fn one_0() -> Result<(), DbErr> {
    run_one()
}

#[test]
fn two_0() -> Result<(), DbErr> {
    run_two()
}
