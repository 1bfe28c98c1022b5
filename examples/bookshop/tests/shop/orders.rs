//! Looking back at orders and calling them off.

use bookshop::{
    Error,
    entity::order::Status,
    shop::{
        Paging,
        checkout::{Basket, BasketLine, checkout},
        orders,
    },
};
use green_light::prelude::*;
use serde_json::{Value, json};

use crate::fixtures::{Client, Desk, Factory, client, desk, factory};

/// A book with ten copies, three of which are ordered.
struct Sale {
    book_id: i32,
    order_id: i32,
}

#[fixture]
async fn sale(factory: &Factory) -> Sale {
    let book_id = factory.book(10).await.id;
    Sale {
        book_id,
        order_id: factory.order(book_id, 3).await.id,
    }
}

#[green_light::test]
async fn a_cancelled_order_gives_its_copies_back(client: &Client, factory: &Factory, sale: &Sale) {
    assert_eq!(factory.copies(sale.book_id).await, 7);
    let path = format!("/orders/{}/cancel", sale.order_id);
    let order = client.post(&path, Value::Null).await.expect(200);
    assert_eq!(order["status"], "cancelled");
    assert_eq!(factory.copies(sale.book_id).await, 10);
}

#[green_light::test]
async fn an_order_is_cancelled_once(desk: &Desk, factory: &Factory, sale: &Sale) {
    let path = format!("/orders/{}/cancel", sale.order_id);
    desk.post(&path, Value::Null).await.expect(200);
    desk.post(&path, Value::Null)
        .await
        .problem(409, "already-cancelled");
    assert_eq!(factory.copies(sale.book_id).await, 10);
}

#[green_light::test]
async fn other_orders_are_left_alone(session: Session, factory: &Factory, sale: &Sale) {
    let other = factory.order(sale.book_id, 2).await;
    orders::cancel(&session, sale.order_id).await.unwrap();
    assert_eq!(
        orders::read(&session, other.id).await.unwrap().status,
        Status::Placed
    );
    assert_eq!(factory.copies(sale.book_id).await, 8);
}

#[green_light::test]
async fn an_unknown_order_cannot_be_cancelled(session: Session, sale: &Sale) {
    let error = orders::cancel(&session, sale.order_id + 1)
        .await
        .unwrap_err();
    assert!(
        matches!(error, Error::NotFound { what: "order", .. }),
        "{error:?}"
    );
}

#[green_light::test]
async fn history_shows_the_newest_order_first(
    session: Session,
    factory: &Factory,
) -> bookshop::Result<()> {
    let book_id = factory.book(10).await.id;
    let customer_id = factory.customer().await.id;
    let mut placed = Vec::new();
    for quantity in 1..=3 {
        let lines = vec![BasketLine { book_id, quantity }];
        placed.insert(0, checkout(&session, Basket { customer_id, lines }).await?);
    }
    let page = orders::history(
        &session,
        customer_id,
        Paging {
            page: 1,
            per_page: 2,
        },
    )
    .await?;
    assert_eq!(page.items, placed[..2]);
    assert_eq!((page.total, page.pages), (3, 2));
    let page = orders::history(
        &session,
        customer_id,
        Paging {
            page: 2,
            per_page: 2,
        },
    )
    .await?;
    assert_eq!(page.items, placed[2..]);
    Ok(())
}

#[green_light::test]
async fn history_shows_nobody_elses_orders(desk: &Desk, factory: &Factory, _sale: &Sale) {
    let id = factory.customer().await.id;
    let page = desk
        .get(&format!("/customers/{id}/orders"))
        .await
        .expect(200);
    assert_eq!(page["items"], json!([]));
    assert_eq!(page["total"], 0);
}
