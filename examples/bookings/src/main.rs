//! Serves the bookings of the database in `DATABASE_URL` on port 50051.

use sqlx::MySqlPool;
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let url = std::env::var("DATABASE_URL").map_err(|_| "set DATABASE_URL")?;
    let db = MySqlPool::connect(&url).await?;
    sqlx::migrate!().run(&db).await?;
    let listener = TcpListener::bind("127.0.0.1:50051").await?;
    bookings::serve(db, listener, std::future::pending()).await?;
    Ok(())
}
