//! What a customer bought at one time.

use sea_orm::entity::prelude::*;
use serde::Serialize;

/// Where an order stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::N(16))")]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Paid for; its copies have left the stock.
    #[sea_orm(string_value = "placed")]
    Placed,
    /// Called off; its copies are back in the stock.
    #[sea_orm(string_value = "cancelled")]
    Cancelled,
}

/// A row of `orders`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "orders")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i32,
    pub customer_id: i32,
    pub status: Status,
    pub placed_at: DateTimeUtc,
    #[sea_orm(belongs_to, from = "customer_id", to = "id")]
    pub customer: BelongsTo<super::customer::Entity>,
    #[sea_orm(has_many)]
    pub lines: HasMany<super::order_line::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
