//! What isolation by transaction costs, against begin, insert and rollback by hand on a kept connection.
//!
//! `cargo bench -p green-light-fixtures`. All rows run interleaved in one process on the same kind of
//! database (the template's image, in memory), so only the ratios mean something.

#![expect(clippy::print_stdout, reason = "a bench prints its figures")]
#![expect(clippy::unwrap_used, reason = "a bench that fails may panic")]

use std::{
    future::Future,
    time::{Duration, Instant},
};

use green_light_fixtures::{Engine, Schema};
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DbBackend, SqlxSqliteConnector, Statement,
    TransactionTrait,
};
use sqlx::{
    Connection,
    sqlite::{SqliteConnectOptions, SqliteConnection, SqlitePoolOptions},
};

const TABLE: &str = "CREATE TABLE u (id INTEGER PRIMARY KEY, email TEXT NOT NULL UNIQUE)";
const ROUNDS: usize = 40;
const TESTS: usize = 200;

fn statement() -> Statement {
    let sql = "INSERT INTO u (email) VALUES (?)";
    Statement::from_sql_and_values(DbBackend::Sqlite, sql, ["ann@example.com".into()])
}

async fn insert(db: &impl ConnectionTrait) {
    db.execute_raw(statement()).await.unwrap();
}

/// By hand, on sqlx's own connection, without a pool.
async fn bare(connection: &mut SqliteConnection) {
    let mut tx = connection.begin().await.unwrap();
    sqlx::query("INSERT INTO u (email) VALUES (?)")
        .bind("ann@example.com")
        .execute(&mut *tx)
        .await
        .unwrap();
    tx.rollback().await.unwrap();
}

/// By hand, on a kept `DatabaseConnection` of one connection.
async fn by_hand(db: &DatabaseConnection) {
    let tx = db.begin().await.unwrap();
    insert(&tx).await;
    tx.rollback().await.unwrap();
}

/// The same with a transaction of the application inside.
async fn by_hand_nested(db: &DatabaseConnection) {
    let tx = db.begin().await.unwrap();
    let inner = tx.begin().await.unwrap();
    insert(&inner).await;
    inner.commit().await.unwrap();
    tx.rollback().await.unwrap();
}

async fn green_light(engine: &Engine) {
    let test = engine.transaction().await.unwrap();
    insert(&test.connection()).await;
    test.finish().await.unwrap();
}

async fn green_light_nested(engine: &Engine) {
    let test = engine.transaction().await.unwrap();
    let inner = test.connection().begin().await.unwrap();
    insert(&inner).await;
    inner.commit().await.unwrap();
    test.finish().await.unwrap();
}

async fn green_light_untouched(engine: &Engine) {
    engine.transaction().await.unwrap().finish().await.unwrap();
}

async fn time<F: Future<Output = ()>>(mut work: impl FnMut() -> F) -> Duration {
    let start = Instant::now();
    for _ in 0..TESTS {
        work().await;
    }
    start.elapsed() / u32::try_from(TESTS).unwrap()
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let options = SqliteConnectOptions::new();
        let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
        sqlx::query(TABLE).execute(&mut connection).await.unwrap();
        let pool = SqlitePoolOptions::new()
            .max_connections(1)
            .idle_timeout(None)
            .max_lifetime(None)
            .test_before_acquire(false)
            .connect_with(options)
            .await
            .unwrap();
        let db = SqlxSqliteConnector::from_sqlx_sqlite_pool(pool);
        db.execute_unprepared(TABLE).await.unwrap();
        let engine = Engine::builder()
            .schema(Schema::sql(TABLE))
            .build()
            .await
            .unwrap();

        let names = [
            "sqlx connection, by hand",
            "DatabaseConnection, by hand",
            "green-light",
            "by hand, transaction inside",
            "green-light, transaction inside",
            "green-light, database not used",
        ];
        let mut times: [Vec<Duration>; 6] = Default::default();
        for _ in 0..ROUNDS {
            let start = Instant::now();
            for _ in 0..TESTS {
                bare(&mut connection).await;
            }
            times[0].push(start.elapsed() / u32::try_from(TESTS).unwrap());
            times[1].push(time(|| by_hand(&db)).await);
            times[2].push(time(|| green_light(&engine)).await);
            times[3].push(time(|| by_hand_nested(&db)).await);
            times[4].push(time(|| green_light_nested(&engine)).await);
            times[5].push(time(|| green_light_untouched(&engine)).await);
        }
        let times = times.map(median);
        for (name, time) in names.iter().zip(times) {
            println!("{name:34} {:7.1} µs", time.as_secs_f64() * 1e6);
        }
        let ratio = |a: usize, b: usize| times[a].as_secs_f64() / times[b].as_secs_f64();
        println!(
            "green-light / DatabaseConnection by hand {:.2}",
            ratio(2, 1)
        );
        println!(
            "green-light / sqlx connection by hand    {:.2}",
            ratio(2, 0)
        );
        println!(
            "the same with a transaction inside       {:.2}",
            ratio(4, 3)
        );
        println!("{:?}", engine.stats());
    });
}
