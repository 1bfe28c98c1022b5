//! Serves the library in `library.db` on port 8000.

use async_graphql::{Request, Response};
use axum::{Json, Router, extract::State, routing::post};
use library::{Library, library};
use sea_orm::Database;

async fn answer(State(library): State<Library>, Json(request): Json<Request>) -> Json<Response> {
    Json(library.execute(request).await)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let db = Database::connect("sqlite:library.db?mode=rwc").await?;
    db.get_schema_registry("library::entity::*")
        .sync(&db)
        .await?;
    let service = Router::new()
        .route("/", post(answer))
        .with_state(library(db));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:8000").await?;
    axum::serve(listener, service).await?;
    Ok(())
}
