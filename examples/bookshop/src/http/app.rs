//! All routes in one place.

use axum::{
    Router,
    http::{Method, StatusCode, Uri},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use sea_orm::DatabaseConnection;

use super::{authors, books, customers, orders, problem::Problem};

/// The shop over HTTP, on this database, which is up to date with
/// [`migration::Migrator`](crate::migration::Migrator).
pub fn app(db: DatabaseConnection) -> Router {
    Router::new()
        .route("/authors", get(authors::list).post(authors::add))
        .route("/authors/{id}", get(authors::read))
        .route("/books", get(books::search).post(books::add))
        .route("/books/{id}", get(books::read))
        .route("/books/{id}/restock", post(books::restock))
        .route("/customers", post(customers::register))
        .route("/customers/{id}", get(customers::read))
        .route("/customers/{id}/orders", get(customers::history))
        .route("/orders", post(orders::checkout))
        .route("/orders/{id}", get(orders::read))
        .route("/orders/{id}/cancel", post(orders::cancel))
        .fallback(no_route)
        .method_not_allowed_fallback(no_method)
        .with_state(db)
}

async fn no_route(uri: Uri) -> Response {
    Problem::new(
        StatusCode::NOT_FOUND,
        "no-route",
        format!("there is nothing at {}", uri.path()),
    )
    .into_response()
}

async fn no_method(method: Method, uri: Uri) -> Response {
    let detail = format!("{} does not answer {method}", uri.path());
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "no-method", detail).into_response()
}
