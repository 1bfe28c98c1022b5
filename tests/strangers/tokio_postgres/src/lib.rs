//! A guest book, as an application on tokio-postgres has it.

use deadpool_postgres::{Manager, Pool};
use tokio_postgres::{Client, Config, Error, NoTls};

/// One connection, driven by a task until it is closed.
pub async fn connect(url: &str) -> Result<Client, Error> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    tokio::spawn(async move { drop(connection.await) });
    Ok(client)
}

/// A pool of connections.
pub fn pool(url: &str) -> Result<Pool, Box<dyn std::error::Error>> {
    let manager = Manager::new(url.parse::<Config>()?, NoTls);
    Ok(Pool::builder(manager).max_size(4).build()?)
}

/// Signs two guests in, or none.
pub async fn sign_in_two(client: &mut Client, names: [&str; 2]) -> Result<(), Error> {
    let transaction = client.transaction().await?;
    for name in names {
        let insert = "INSERT INTO guest (name) VALUES ($1)";
        transaction.execute(insert, &[&name]).await?;
    }
    transaction.commit().await
}

/// How many guests there are.
pub async fn guests(client: &Client) -> Result<i64, Error> {
    let row = client.query_one("SELECT count(*) FROM guest", &[]).await?;
    Ok(row.get(0))
}
