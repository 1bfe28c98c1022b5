//! What is sold. An ISBN is unique; prices are in cents.

use sea_orm::entity::prelude::*;
use serde::Serialize;

/// A row of `books`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, DeriveEntityModel)]
#[sea_orm(table_name = "books")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i32,
    #[sea_orm(unique)]
    pub isbn: String,
    pub title: String,
    pub author_id: i32,
    pub price_cents: i32,
    pub published_year: Option<i32>,
    #[sea_orm(belongs_to, from = "author_id", to = "id")]
    #[serde(skip)]
    pub author: BelongsTo<super::author::Entity>,
    #[sea_orm(has_one)]
    #[serde(skip)]
    pub stock: HasOne<super::stock::Entity>,
    #[sea_orm(has_many)]
    #[serde(skip)]
    pub order_lines: HasMany<super::order_line::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
