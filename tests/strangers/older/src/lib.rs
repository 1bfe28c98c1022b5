//! A guest book, as an application on sea-orm 1.1 and sqlx 0.8 has it.

use sea_orm::{ActiveModelTrait, DatabaseConnection, DbErr, EntityTrait, PaginatorTrait, Set};
use sqlx::PgPool;

/// The table.
pub mod guest {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "guest")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i64,
        pub name: String,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Signs a guest in, by sea-orm.
pub async fn sign_in(db: &DatabaseConnection, name: &str) -> Result<guest::Model, DbErr> {
    let guest = guest::ActiveModel {
        name: Set(name.to_owned()),
        ..Default::default()
    };
    guest.insert(db).await
}

/// How many guests there are, by sea-orm.
pub async fn guests(db: &DatabaseConnection) -> Result<u64, DbErr> {
    guest::Entity::find().count(db).await
}

/// How many guests there are, by sqlx.
pub async fn guests_by_sqlx(pool: &PgPool) -> sqlx::Result<i64> {
    let count = sqlx::query_scalar("SELECT count(*) FROM guest");
    count.fetch_one(pool).await
}
