//! Lines of orders, each book at most once in an order.

use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("order_lines")
                    .col(integer("order_id"))
                    .col(integer("book_id"))
                    .col(integer("quantity").check(Expr::col("quantity").gt(0)))
                    .col(integer("unit_price_cents"))
                    .primary_key(Index::create().col("order_id").col("book_id"))
                    .foreign_key(
                        ForeignKey::create()
                            .name("fk_order_lines_order")
                            .from("order_lines", "order_id")
                            .to("orders", "id")
                            .on_delete(ForeignKeyAction::Cascade),
                    )
                    .foreign_key(
                        ForeignKey::create()
                            .name("fk_order_lines_book")
                            .from("order_lines", "book_id")
                            .to("books", "id"),
                    )
                    .to_owned(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .drop_table(Table::drop().table("order_lines").to_owned())
            .await
    }
}
