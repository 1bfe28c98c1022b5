//! `/orders`

use axum::{Json, extract::State, http::StatusCode, response::IntoResponse};
use sea_orm::DatabaseConnection;

use super::extract::{Body, Id};
use crate::{
    Result,
    shop::{
        checkout::{self, Basket},
        orders::{self, OrderView},
    },
};

pub(super) async fn checkout(
    State(db): State<DatabaseConnection>,
    Body(basket): Body<Basket>,
) -> Result<impl IntoResponse> {
    Ok((
        StatusCode::CREATED,
        Json(checkout::checkout(&db, basket).await?),
    ))
}

pub(super) async fn read(
    State(db): State<DatabaseConnection>,
    Id(id): Id,
) -> Result<Json<OrderView>> {
    Ok(Json(orders::read(&db, id).await?))
}

pub(super) async fn cancel(
    State(db): State<DatabaseConnection>,
    Id(id): Id,
) -> Result<Json<OrderView>> {
    Ok(Json(orders::cancel(&db, id).await?))
}
