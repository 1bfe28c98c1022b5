//! Counts visits in the database in `DATABASE_URL`, on port 8000.

use visits::{db, routes};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let url = std::env::var("DATABASE_URL").map_err(|_| "set DATABASE_URL")?;
    db::connect(&url).await?;
    sqlx::migrate!().run(db::pool()).await?;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:8000").await?;
    axum::serve(listener, routes()).await?;
    Ok(())
}
