//! How long a test waits for a database of its own on PostgreSQL, its first connection included, beside
//! a connection alone. Prints the microseconds of both, a line for each round.

use std::{
    env,
    error::Error,
    time::{Duration, Instant},
};

use green_light::{Backend, Engine, Isolation, Schema};
use sqlx::{Connection, PgConnection};
use tokio::{runtime::Runtime, time::sleep};

/// What a test does before it ends: green-light prepares the next database meanwhile.
const WORK: Duration = Duration::from_millis(100);

async fn measure(rounds: usize) -> Result<(), Box<dyn Error>> {
    let engine = Engine::builder()
        .backend(Backend::Postgres)
        .schema(Schema::sql_dir(env::var("BENCH_MIGRATIONS")?))
        .build()
        .await?;
    let server = env::var("DATABASE_URL")?;
    // The first one is of a process, not of a test.
    for round in 0..=rounds {
        let start = Instant::now();
        let connection = PgConnection::connect(&server).await?;
        let connected = start.elapsed();
        connection.close().await?;

        let start = Instant::now();
        let session = engine.session(Isolation::Database).await?;
        session.ping().await?;
        let handed_out = start.elapsed();
        if round > 0 {
            println!("{} {}", connected.as_micros(), handed_out.as_micros());
        }
        sleep(WORK).await;
        session.finish().await?;
    }
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    let rounds = env::args().nth(1).unwrap_or_default().parse()?;
    Runtime::new()?.block_on(measure(rounds))
}
