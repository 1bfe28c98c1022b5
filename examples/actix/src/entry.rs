//! What guests write.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

/// One entry of the book.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, DeriveEntityModel)]
#[sea_orm(table_name = "entry")]
pub struct Model {
    /// In the order they came.
    #[sea_orm(primary_key)]
    pub id: i32,
    /// Who wrote it; a guest writes once.
    #[sea_orm(unique)]
    pub guest: String,
    /// What it says.
    pub text: String,
}

/// It stands alone.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
