//! Copies of each book, never fewer than none.

use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("stock")
                    .col(integer("book_id").primary_key())
                    .col(integer("copies").check(Expr::col("copies").gte(0)))
                    .foreign_key(
                        ForeignKey::create()
                            .name("fk_stock_book")
                            .from("stock", "book_id")
                            .to("books", "id")
                            .on_delete(ForeignKeyAction::Cascade),
                    )
                    .to_owned(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .drop_table(Table::drop().table("stock").to_owned())
            .await
    }
}
