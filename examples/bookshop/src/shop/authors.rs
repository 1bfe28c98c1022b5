//! Writers. A name is unique.

use sea_orm::{ActiveValue::Set, DatabaseConnection, QueryOrder, SqlErr, entity::prelude::*};
use serde::Deserialize;

use super::{Page, Paging, text::tidy};
use crate::{
    Error, Result,
    entity::{author, prelude::Author},
};

/// A writer to be added.
#[derive(Clone, Debug, Deserialize)]
pub struct NewAuthor {
    /// The name on the cover.
    pub name: String,
}

/// Adds an author.
///
/// # Errors
///
/// [`Error::Invalid`] for an empty name, [`Error::Duplicate`] for one that is taken.
pub async fn add(db: &DatabaseConnection, new: NewAuthor) -> Result<author::Model> {
    let name = tidy("name", &new.name)?;
    author::ActiveModel {
        name: Set(name.clone()),
        ..Default::default()
    }
    .insert(db)
    .await
    .map_err(|error| match error.sql_err() {
        Some(SqlErr::UniqueConstraintViolation(_)) => Error::Duplicate {
            what: "author",
            field: "name",
            value: name,
        },
        _ => error.into(),
    })
}

/// Reads an author.
///
/// # Errors
///
/// [`Error::NotFound`].
pub async fn read(db: &DatabaseConnection, id: i32) -> Result<author::Model> {
    Author::find_by_id(id)
        .one(db)
        .await?
        .ok_or(Error::NotFound { what: "author", id })
}

/// Lists authors by name.
///
/// # Errors
///
/// [`Error::Invalid`] for a page that cannot be.
pub async fn list(db: &DatabaseConnection, paging: Paging) -> Result<Page<author::Model>> {
    let paging = paging.checked()?;
    let select = Author::find()
        .order_by_asc(author::COLUMN.name)
        .order_by_asc(author::COLUMN.id);
    Page::read(select.paginate(db, paging.per_page), paging).await
}
