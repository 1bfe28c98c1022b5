//! `/authors`

use axum::{Json, extract::State, http::StatusCode, response::IntoResponse};
use sea_orm::DatabaseConnection;

use super::extract::{Body, Id, Params};
use crate::{
    Result,
    entity::author,
    shop::{
        Page, Paging,
        authors::{self, NewAuthor},
    },
};

pub(super) async fn list(
    State(db): State<DatabaseConnection>,
    Params(paging): Params<Paging>,
) -> Result<Json<Page<author::Model>>> {
    Ok(Json(authors::list(&db, paging).await?))
}

pub(super) async fn add(
    State(db): State<DatabaseConnection>,
    Body(new): Body<NewAuthor>,
) -> Result<impl IntoResponse> {
    Ok((StatusCode::CREATED, Json(authors::add(&db, new).await?)))
}

pub(super) async fn read(
    State(db): State<DatabaseConnection>,
    Id(id): Id,
) -> Result<Json<author::Model>> {
    Ok(Json(authors::read(&db, id).await?))
}
