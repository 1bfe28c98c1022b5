//! Starts the servers that green-light starts, and keeps them until its input ends.
//!
//! Prints the name of each and the URL of a new, empty database on it. What is missing goes to stderr.

use std::{error::Error, io, io::Read as _};

use green_light::{Backend, Engine, Isolation};
use sea_orm::{ConnectionTrait, Database};
use tokio::runtime::Runtime;

async fn start(backend: Backend, maintenance: &str) -> Result<(Engine, String), Box<dyn Error>> {
    let engine = Engine::builder().backend(backend).build().await?;
    let session = engine.session(Isolation::Database).await?;
    // An account of tests makes no databases.
    let url = session.url().expose();
    let url = url.replacen("//green_light@", "//root@", 1);
    session.finish().await?;
    let db = Database::connect(with_database(&url, maintenance)).await?;
    db.execute_unprepared("DROP DATABASE IF EXISTS bench")
        .await?;
    db.execute_unprepared("CREATE DATABASE bench").await?;
    db.close().await?;
    Ok((engine, with_database(&url, "bench")))
}

fn with_database(url: &str, name: &str) -> String {
    let (address, query) = url.split_once('?').unwrap_or((url, ""));
    let server = address
        .rsplit_once('/')
        .map_or(address, |(server, _)| server);
    format!("{server}/{name}?{query}")
}

fn main() -> io::Result<()> {
    let runtime = Runtime::new()?;
    let mut engines = Vec::new();
    for (backend, maintenance) in [(Backend::Postgres, "postgres"), (Backend::MySql, "mysql")] {
        match runtime.block_on(start(backend, maintenance)) {
            Ok((engine, url)) => {
                println!("{backend} {url}");
                engines.push(engine);
            }
            Err(error) => eprintln!("{error}"),
        }
    }
    println!("done");
    io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}
