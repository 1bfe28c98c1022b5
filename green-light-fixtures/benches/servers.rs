//! What isolation by transaction costs on PostgreSQL and MySQL or MariaDB, against begin, insert and
//! rollback by hand on a kept connection.
//!
//! `cargo bench -p green-light-fixtures --bench servers`. All rows of a server run interleaved in one
//! process in databases of the same schema, so only the ratios mean something.

#![expect(clippy::print_stdout, reason = "a bench prints its figures")]
#![expect(clippy::unwrap_used, reason = "a bench that fails may panic")]

use std::{
    future::Future,
    time::{Duration, Instant},
};

use green_light_fixtures::{Backend, Engine, Schema};
use sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DatabaseConnection, Statement, TransactionTrait,
};

const ROUNDS: usize = 100;
const TESTS: usize = 30;

async fn insert(db: &impl ConnectionTrait) {
    let backend = db.get_database_backend();
    let sql = match backend {
        sea_orm::DbBackend::Postgres => "INSERT INTO u (email) VALUES ($1)",
        _ => "INSERT INTO u (email) VALUES (?)",
    };
    let statement = Statement::from_sql_and_values(backend, sql, ["ann@example.com".into()]);
    db.execute_raw(statement).await.unwrap();
}

/// By hand, on a kept `DatabaseConnection` of one connection.
async fn by_hand(db: &DatabaseConnection, inserts: usize) {
    let tx = db.begin().await.unwrap();
    for _ in 0..inserts {
        let inner = tx.begin().await.unwrap();
        insert(&inner).await;
        inner.rollback().await.unwrap();
    }
    if inserts == 0 {
        insert(&tx).await;
    }
    tx.rollback().await.unwrap();
}

async fn green_light(engine: &Engine, transactions: usize) {
    let test = engine.transaction_for("bench").await.unwrap();
    let db = test.connection();
    for _ in 0..transactions {
        let inner = db.begin().await.unwrap();
        insert(&inner).await;
        inner.rollback().await.unwrap();
    }
    if transactions == 0 {
        insert(&db).await;
    }
    drop(db);
    test.finish().await.unwrap();
}

async fn time<F: Future<Output = ()>>(mut work: impl FnMut() -> F) -> Duration {
    let start = Instant::now();
    for _ in 0..TESTS {
        work().await;
    }
    start.elapsed() / u32::try_from(TESTS).unwrap()
}

/// The tenth percentile: other programs only ever make a round slower.
fn typical(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 10]
}

async fn run(backend: Backend) {
    let column = match backend {
        Backend::Postgres => "id BIGSERIAL PRIMARY KEY, email TEXT NOT NULL UNIQUE",
        _ => "id BIGINT AUTO_INCREMENT PRIMARY KEY, email VARCHAR(190) NOT NULL UNIQUE",
    };
    let schema = Schema::sql(format!("CREATE TABLE u ({column})"));
    let engine = |schema: &Schema| {
        Engine::builder()
            .backend(backend)
            .schema(schema.clone())
            .build()
    };
    let measured = engine(&schema).await.unwrap();
    // The database of another slot, lent for as long as the bench runs, without its sandbox.
    let other = engine(&schema).await.unwrap();
    let lent = other.transaction_for("by hand").await.unwrap();
    let mut options = ConnectOptions::new(lent.session().url().expose().to_owned());
    options
        .min_connections(1)
        .max_connections(1)
        .test_before_acquire(false)
        .sqlx_logging(false);
    let db = Database::connect(options).await.unwrap();

    let mut times: [Vec<Duration>; 4] = Default::default();
    for _ in 0..ROUNDS {
        times[0].push(time(|| by_hand(&db, 0)).await);
        times[1].push(time(|| green_light(&measured, 0)).await);
        times[2].push(time(|| by_hand(&db, 2)).await);
        times[3].push(time(|| green_light(&measured, 2)).await);
    }
    let names = [
        "by hand",
        "green-light",
        "by hand, two transactions inside",
        "green-light, two transactions inside",
    ];
    let times = times.map(typical);
    println!("{backend}");
    for (name, time) in names.iter().zip(times) {
        println!("  {name:38} {:7.1} µs", time.as_secs_f64() * 1e6);
    }
    let ratio = |a: usize, b: usize| times[a].as_secs_f64() / times[b].as_secs_f64();
    println!(
        "  green-light / by hand                  {:.2}",
        ratio(1, 0)
    );
    println!(
        "  the same with transactions inside      {:.2}",
        ratio(3, 2)
    );
    println!("  {:?}", measured.stats());
    drop(db);
}

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        run(Backend::Postgres).await;
        run(Backend::MySql).await;
    });
}
