//! What a database of its own costs a test on PostgreSQL, against a connection alone and against making
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
use sea_orm::ConnectionTrait;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, postgres::PgPoolOptions};

const ROUNDS: usize = 15;

/// As many migrations, each a table with an index and a row.
fn migrations(count: usize) -> Vec<String> {
    (0..count)
        .map(|n| {
            format!(
                "CREATE TABLE t{n} (id serial PRIMARY KEY, name text NOT NULL UNIQUE); \
                 CREATE INDEX i{n} ON t{n} (name, id); INSERT INTO t{n} (name) VALUES ('a')"
            )
        })
        .collect()
}

async fn engine(count: usize) -> Engine {
    Engine::builder()
        .backend(Backend::Postgres)
        .schema(Schema::sql(migrations(count).join(";")))
        .build()
        .await
        .unwrap()
}

/// One test; returns how long it waited for its database, its first connection included.
async fn green_light(engine: &Engine) -> Duration {
    let start = Instant::now();
    let session = engine.session(Isolation::Database).await.unwrap();
    let handed_out = start.elapsed();
    session
        .execute_unprepared("INSERT INTO t0 (name) VALUES ('b')")
        .await
        .unwrap();
    session.finish().await.unwrap();
    handed_out
}

/// A database by hand: made, migrated, used, dropped.
async fn by_hand(server: &str, migrations: &[String], number: usize) {
    let name = format!("by_hand_{}_{number}", std::process::id());
    let mut admin = PgConnection::connect(server).await.unwrap();
    let create = format!("CREATE DATABASE {name}");
    admin.execute(AssertSqlSafe(create)).await.unwrap();
    let pool = PgPoolOptions::new()
        .max_connections(5)
        .connect(&with_database(server, &name))
        .await
        .unwrap();
    for migration in migrations {
        let mut transaction = pool.begin().await.unwrap();
        transaction
            .execute(AssertSqlSafe(migration.as_str()))
            .await
            .unwrap();
        transaction.commit().await.unwrap();
    }
    pool.execute("INSERT INTO t0 (name) VALUES ('b')")
        .await
        .unwrap();
    pool.close().await;
    let drop = format!("DROP DATABASE {name} WITH (FORCE)");
    admin.execute(AssertSqlSafe(drop)).await.unwrap();
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

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let (ten, fifty) = (engine(10).await, engine(50).await);
        let session = ten.session(Isolation::Database).await.unwrap();
        let server = with_database(session.url().expose(), "postgres");
        session.finish().await.unwrap();
        let (migrations_10, migrations_50) = (migrations(10), migrations(50));
        let names = [
            "connect, and nothing else",
            "green-light, 10 migrations",
            "green-light, 50 migrations",
            "by hand, 10 migrations",
            "by hand, 50 migrations",
            "green-light, until handed out",
        ];
        let mut times: [Vec<Duration>; 6] = Default::default();
        for round in 0..ROUNDS {
            let connect = async {
                let connection = PgConnection::connect(&server).await.unwrap();
                connection.close().await.unwrap();
            };
            times[0].push(timed(connect).await);
            let mut handed_out = Duration::ZERO;
            times[1].push(timed(async { handed_out = green_light(&ten).await }).await);
            times[5].push(handed_out);
            times[3].push(timed(by_hand(&server, &migrations_10, round)).await);
            times[2].push(timed(green_light(&fifty)).await);
            times[4].push(timed(by_hand(&server, &migrations_50, ROUNDS + round)).await);
        }
        let times = times.map(median);
        for (name, time) in names.iter().zip(times) {
            println!("{name:30} {:8.2} ms", time.as_secs_f64() * 1e3);
        }
        let ratio = |a: usize, b: usize| times[a].as_secs_f64() / times[b].as_secs_f64();
        println!("by hand / green-light, 10 migrations  {:.1}", ratio(3, 1));
        println!("by hand / green-light, 50 migrations  {:.1}", ratio(4, 2));
        println!("green-light, 50 / 10 migrations       {:.2}", ratio(2, 1));
    });
}
