//! Serves the guestbook on port 8080, from a database in memory or at `DATABASE_URL`.

use actix_web::{App, HttpServer};
use guestbook::{entry, routes};
use sea_orm::Database;

#[actix_web::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let url = std::env::var("DATABASE_URL").unwrap_or_else(|_| "sqlite::memory:".to_owned());
    let db = Database::connect(url).await?;
    db.get_schema_builder()
        .register(entry::Entity)
        .sync(&db)
        .await?;
    HttpServer::new(move || App::new().configure(routes(db.clone())))
        .bind(("127.0.0.1", 8080))?
        .run()
        .await?;
    Ok(())
}
