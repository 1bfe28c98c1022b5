//! What can be asked over HTTP.

use axum::{
    Json, Router,
    extract::Path,
    http::StatusCode,
    routing::{get, post},
};

use crate::db::pool;

/// The routes of the service. They take the pool from the process.
pub fn routes() -> Router {
    Router::new()
        .route("/visits/{page}", post(count))
        .route("/visits", get(all))
}

async fn count(Path(page): Path<String>) -> Result<Json<i64>, StatusCode> {
    let insert = "INSERT INTO visit VALUES ($1, 1)
        ON CONFLICT (page) DO UPDATE SET visits = visit.visits + 1
        RETURNING visits";
    let insert = sqlx::query_scalar(insert).bind(page);
    let visits = insert.fetch_one(pool()).await;
    visits
        .map(Json)
        .map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)
}

async fn all() -> Result<Json<Vec<(String, i64)>>, StatusCode> {
    let select = "SELECT page, visits FROM visit ORDER BY visits DESC, page";
    let rows = sqlx::query_as(select).fetch_all(pool()).await;
    rows.map(Json)
        .map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)
}
