//! `/books`

use axum::{Json, extract::State, http::StatusCode, response::IntoResponse};
use sea_orm::DatabaseConnection;
use serde::Deserialize;

use super::extract::{Body, Id, Params};
use crate::{
    Result,
    shop::{
        Page, Paging,
        books::{self, BookView, NewBook},
        search::{self, Search},
    },
};

pub(super) async fn search(
    State(db): State<DatabaseConnection>,
    Params(search): Params<Search>,
    Params(paging): Params<Paging>,
) -> Result<Json<Page<BookView>>> {
    Ok(Json(search::find(&db, search, paging).await?))
}

pub(super) async fn add(
    State(db): State<DatabaseConnection>,
    Body(new): Body<NewBook>,
) -> Result<impl IntoResponse> {
    Ok((StatusCode::CREATED, Json(books::add(&db, new).await?)))
}

pub(super) async fn read(
    State(db): State<DatabaseConnection>,
    Id(id): Id,
) -> Result<Json<BookView>> {
    Ok(Json(books::read(&db, id).await?))
}

/// The copies that came in.
#[derive(Deserialize)]
pub(super) struct Delivery {
    copies: i32,
}

pub(super) async fn restock(
    State(db): State<DatabaseConnection>,
    Id(id): Id,
    Body(delivery): Body<Delivery>,
) -> Result<Json<BookView>> {
    Ok(Json(books::restock(&db, id, delivery.copies).await?))
}
