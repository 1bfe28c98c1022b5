//! One book of an order, at the price it had then.

use sea_orm::entity::prelude::*;
use serde::Serialize;

/// A row of `order_lines`; a book stands in an order at most once.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, DeriveEntityModel)]
#[sea_orm(table_name = "order_lines")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    #[serde(skip)]
    pub order_id: i32,
    #[sea_orm(primary_key, auto_increment = false)]
    pub book_id: i32,
    pub quantity: i32,
    pub unit_price_cents: i32,
    #[sea_orm(belongs_to, from = "order_id", to = "id")]
    #[serde(skip)]
    pub order: BelongsTo<super::order::Entity>,
    #[sea_orm(belongs_to, from = "book_id", to = "id")]
    #[serde(skip)]
    pub book: BelongsTo<super::book::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
