//! Does the jobs of the database in `DATABASE_URL`, on four workers, until Ctrl-C.

use jobs::{Job, Queue, work};
use sqlx::PgPool;
use tokio::sync::watch;

async fn print(job: Job) -> Result<(), String> {
    println!("{} {}", job.kind, job.payload);
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let url = std::env::var("DATABASE_URL").map_err(|_| "set DATABASE_URL")?;
    let db = PgPool::connect(&url).await?;
    sqlx::migrate!().run(&db).await?;
    let (stop, stopped) = watch::channel(false);
    tokio::spawn(async move {
        let _ = tokio::signal::ctrl_c().await;
        let _ = stop.send(true);
    });
    work(&Queue::new(db), 4, print, &stopped).await?;
    Ok(())
}
