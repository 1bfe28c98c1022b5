//! Who buys books. An e-mail address is unique and kept in lower case.

use sea_orm::entity::prelude::*;
use serde::Serialize;

/// A row of `customers`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, DeriveEntityModel)]
#[sea_orm(table_name = "customers")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i32,
    #[sea_orm(unique)]
    pub email: String,
    pub name: String,
    #[sea_orm(has_many)]
    #[serde(skip)]
    pub orders: HasMany<super::order::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
