//! Orders of customers, and the index for looking back at them.
//!
//! The index belongs to this step: on MySQL it serves the foreign key, too, and could not be dropped
//! on its own.

use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("orders")
                    .col(pk_auto("id"))
                    .col(integer("customer_id"))
                    .col(string_len("status", 16))
                    // The default keeps older MySQL servers from adding `ON UPDATE` to the column.
                    .col(timestamp_with_time_zone_default_now("placed_at"))
                    .foreign_key(
                        ForeignKey::create()
                            .name("fk_orders_customer")
                            .from("orders", "customer_id")
                            .to("customers", "id"),
                    )
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("idx_orders_customer")
                    .table("orders")
                    .col("customer_id")
                    .col("placed_at")
                    .to_owned(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .drop_table(Table::drop().table("orders").to_owned())
            .await
    }
}
