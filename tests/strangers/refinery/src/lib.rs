//! A list of guests, kept by tokio-postgres.

use deadpool_postgres::{Config, Pool, Runtime};
use tokio_postgres::NoTls;

pub type Error = Box<dyn std::error::Error + Send + Sync>;

mod embedded {
    refinery::embed_migrations!("migrations");
}

/// Runs the migrations that the program has in it.
pub async fn migrate(url: &str) -> Result<(), Error> {
    let (mut client, connection) = tokio_postgres::connect(url, NoTls).await?;
    let connection = tokio::spawn(connection);
    let done = embedded::migrations::runner().run_async(&mut client).await;
    // The connection ends when its client is gone.
    drop(client);
    connection.await??;
    done?;
    Ok(())
}

/// Connects to the database at `url`.
pub fn pool(url: &str) -> Result<Pool, Error> {
    let config = Config {
        url: Some(url.to_owned()),
        ..Config::default()
    };
    Ok(config.create_pool(Some(Runtime::Tokio1), NoTls)?)
}

pub async fn welcome(pool: &Pool, name: &str) -> Result<(), Error> {
    let client = pool.get().await?;
    let sql = "INSERT INTO guest (name) VALUES ($1)";
    client.execute(sql, &[&name]).await?;
    Ok(())
}

pub async fn names(pool: &Pool) -> Result<Vec<String>, Error> {
    let client = pool.get().await?;
    let rows = client
        .query("SELECT name FROM guest ORDER BY id", &[])
        .await?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}
