//! Books, each ISBN once, each by an author who exists.

use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("books")
                    .col(pk_auto("id"))
                    .col(string_len_uniq("isbn", 13))
                    .col(string_len("title", 200))
                    .col(integer("author_id"))
                    .col(integer("price_cents").check(Expr::col("price_cents").gte(0)))
                    .foreign_key(
                        ForeignKey::create()
                            .name("fk_books_author")
                            .from("books", "author_id")
                            .to("authors", "id"),
                    )
                    .to_owned(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .drop_table(Table::drop().table("books").to_owned())
            .await
    }
}
