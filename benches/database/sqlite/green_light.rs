//! Tests with a session, isolated by a transaction.

use green_light::prelude::*;
use sea_orm::{ConnectionTrait, DbErr};

#[fixture(overrides = green_light::fixtures::schema, scope = "process")]
fn schema() -> Schema {
    Schema::sql(concat!(
        include_str!("../migrations/0001_authors.sql"),
        include_str!("../migrations/0002_books.sql"),
        include_str!("../migrations/0003_books_by_title.sql"),
        include_str!("../migrations/0004_stock.sql"),
        include_str!("../migrations/0005_customers.sql"),
        include_str!("../migrations/0006_one_customer_an_address.sql"),
        include_str!("../migrations/0007_orders.sql"),
        include_str!("../migrations/0008_order_lines.sql"),
        include_str!("../migrations/0009_year_of_books.sql"),
        include_str!("../migrations/0010_first_author.sql"),
    ))
}

async fn work(db: &impl ConnectionTrait) -> Result<(), DbErr> {
    let book = "INSERT INTO book (id, author_id, title) VALUES (1, 1, 'The Dispossessed')";
    let inserted = db.execute_unprepared(book).await?;
    assert_eq!(inserted.rows_affected(), 1);
    Ok(())
}

// Repeated.
#[green_light::test]
async fn test_0(session: Session) -> Result<(), DbErr> {
    work(session.connection()).await
}
