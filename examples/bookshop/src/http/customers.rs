//! `/customers`

use axum::{Json, extract::State, http::StatusCode, response::IntoResponse};
use sea_orm::DatabaseConnection;

use super::extract::{Body, Id, Params};
use crate::{
    Result,
    entity::customer,
    shop::{
        Page, Paging,
        customers::{self, Registration},
        orders::{self, OrderView},
    },
};

pub(super) async fn register(
    State(db): State<DatabaseConnection>,
    Body(registration): Body<Registration>,
) -> Result<impl IntoResponse> {
    Ok((
        StatusCode::CREATED,
        Json(customers::register(&db, registration).await?),
    ))
}

pub(super) async fn read(
    State(db): State<DatabaseConnection>,
    Id(id): Id,
) -> Result<Json<customer::Model>> {
    Ok(Json(customers::read(&db, id).await?))
}

pub(super) async fn history(
    State(db): State<DatabaseConnection>,
    Id(id): Id,
    Params(paging): Params<Paging>,
) -> Result<Json<Page<OrderView>>> {
    Ok(Json(orders::history(&db, id, paging).await?))
}
