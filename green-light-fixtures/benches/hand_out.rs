//! What a database of its own costs a test on a server, against a connection alone and against making
//! the database and running all migrations, as `#[sqlx::test]` does.
//!
//! `cargo bench -p green-light-fixtures --bench hand_out`. All rows run interleaved on one server, so
//! only the ratios mean something.

#![expect(clippy::print_stdout, reason = "a bench prints its figures")]
#![expect(clippy::unwrap_used, reason = "a bench that fails may panic")]

use std::{
    future::Future,
    time::{Duration, Instant},
};

use green_light_fixtures::{Backend, Engine, Isolation, Schema};
use sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DbErr, TransactionTrait,
};

const ROUNDS: usize = 15;

/// What a test does besides its database: without it, nothing could be made ahead meanwhile.
const WORK: Duration = Duration::from_millis(25);

/// As many migrations, each a table with an index and a row.
fn migrations(backend: Backend, count: usize) -> Vec<String> {
    let id = match backend {
        Backend::MySql => "int AUTO_INCREMENT PRIMARY KEY",
        _ => "serial PRIMARY KEY",
    };
    (0..count)
        .map(|n| {
            format!(
                "CREATE TABLE t{n} (id {id}, name varchar(99) NOT NULL UNIQUE); \
                 CREATE INDEX i{n} ON t{n} (name, id); INSERT INTO t{n} (name) VALUES ('a')"
            )
        })
        .collect()
}

async fn engine(backend: Backend, count: usize) -> Engine {
    Engine::builder()
        .backend(backend)
        .schema(Schema::sql(migrations(backend, count).join(";")))
        .build()
        .await
        .unwrap()
}

/// One test; returns how long it waited for its database, its first connection included, and how
/// long it took without what it did itself.
async fn green_light(engine: &Engine) -> (Duration, Duration) {
    let start = Instant::now();
    let session = engine.session(Isolation::Database).await.unwrap();
    let handed_out = start.elapsed();
    let insert = "INSERT INTO t0 (name) VALUES ('b')";
    session.execute_unprepared(insert).await.unwrap();
    let before = Instant::now();
    tokio::time::sleep(WORK).await;
    let worked = before.elapsed();
    session.finish().await.unwrap();
    (handed_out, start.elapsed() - worked)
}

async fn connect(url: &str) -> Result<DatabaseConnection, DbErr> {
    let mut options = ConnectOptions::new(url);
    options.max_connections(5).sqlx_logging(false);
    Database::connect(options).await
}

/// A database by hand: made, migrated, used, dropped.
async fn by_hand(server: &str, migrations: &[String], number: usize) {
    let name = format!("by_hand_{}_{number}", std::process::id());
    let admin = connect(server).await.unwrap();
    let create = format!("CREATE DATABASE {name}");
    admin.execute_unprepared(&create).await.unwrap();
    let pool = connect(&with_database(server, &name)).await.unwrap();
    for migration in migrations {
        let transaction = pool.begin().await.unwrap();
        transaction.execute_unprepared(migration).await.unwrap();
        transaction.commit().await.unwrap();
    }
    let insert = "INSERT INTO t0 (name) VALUES ('b')";
    pool.execute_unprepared(insert).await.unwrap();
    pool.close().await.unwrap();
    let drop = format!("DROP DATABASE {name}");
    admin.execute_unprepared(&drop).await.unwrap();
    admin.close().await.unwrap();
}

fn with_database(url: &str, name: &str) -> String {
    let (address, query) = url.split_once('?').unwrap_or((url, ""));
    let start = address.rsplit_once('/').unwrap().0;
    format!("{start}/{name}?{query}")
}

async fn timed<F: Future>(work: F) -> Duration {
    let start = Instant::now();
    work.await;
    start.elapsed()
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

async fn measure(backend: Backend) {
    let (ten, fifty) = (engine(backend, 10).await, engine(backend, 50).await);
    let session = ten.session(Isolation::Database).await.unwrap();
    let always_there = match backend {
        Backend::MySql => "mysql",
        _ => "postgres",
    };
    let server = with_database(session.url().expose(), always_there);
    session.finish().await.unwrap();
    let (migrations_10, migrations_50) = (migrations(backend, 10), migrations(backend, 50));
    let names = [
        "connect, and nothing else",
        "green-light, 10 migrations",
        "green-light, 50 migrations",
        "by hand, 10 migrations",
        "by hand, 50 migrations",
        "green-light, 10, until handed out",
        "green-light, 50, until handed out",
    ];
    let mut times: [Vec<Duration>; 7] = Default::default();
    for round in 0..ROUNDS {
        let connected = async { connect(&server).await.unwrap().close().await.unwrap() };
        times[0].push(timed(connected).await);
        let (handed_out, whole) = green_light(&ten).await;
        times[1].push(whole);
        times[5].push(handed_out);
        times[3].push(timed(by_hand(&server, &migrations_10, round)).await);
        let (handed_out, whole) = green_light(&fifty).await;
        times[2].push(whole);
        times[6].push(handed_out);
        times[4].push(timed(by_hand(&server, &migrations_50, ROUNDS + round)).await);
    }
    let times = times.map(median);
    println!("{backend}");
    for (name, time) in names.iter().zip(times) {
        println!("{name:34} {:8.2} ms", time.as_secs_f64() * 1e3);
    }
    let ratio = |a: usize, b: usize| times[a].as_secs_f64() / times[b].as_secs_f64();
    println!("by hand / green-light, 10 migrations   {:.1}", ratio(3, 1));
    println!("by hand / green-light, 50 migrations   {:.1}", ratio(4, 2));
    println!("green-light, 50 / 10 migrations        {:.2}", ratio(2, 1));
}

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        for backend in [Backend::Postgres, Backend::MySql] {
            measure(backend).await;
        }
    });
}
