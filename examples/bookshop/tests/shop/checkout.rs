//! Checkout: all of it or nothing.

use bookshop::{
    Error,
    entity::{
        prelude::{Order, OrderLine, Stock},
        stock,
    },
    shop::checkout::{Basket, BasketLine, checkout},
};
use green_light::prelude::*;
use sea_orm::{EntityTrait, PaginatorTrait, QueryFilter};
use serde_json::json;

use crate::fixtures::{Client, Desk, Factory, client, desk, factory};

/// After every test of this module the books must balance, whatever the test did.
#[fixture(autouse)]
async fn audit(session: Session, out: Yield<()>) {
    out.give(()).await;
    let negative = Stock::find()
        .filter(stock::COLUMN.copies.lt(0))
        .count(&session)
        .await
        .unwrap();
    assert_eq!(negative, 0, "more was sold than there was");
    let orders = Order::find()
        .find_with_related(OrderLine)
        .all(&session)
        .await
        .unwrap();
    assert!(
        orders.iter().all(|(_, lines)| !lines.is_empty()),
        "an order has no lines"
    );
}

fn basket(customer_id: i32, lines: &[(i32, i32)]) -> Basket {
    let line = |&(book_id, quantity)| BasketLine { book_id, quantity };
    Basket {
        customer_id,
        lines: lines.iter().map(line).collect(),
    }
}

#[green_light::test]
async fn a_basket_becomes_an_order(client: &Client, factory: &Factory) {
    let (cheap, dear) = (
        factory.book_for(500, 10).await,
        factory.book_for(2500, 10).await,
    );
    let customer = factory.customer().await;
    let body = json!({
        "customer_id": customer.id,
        "lines": [{ "book_id": dear.id, "quantity": 1 }, { "book_id": cheap.id, "quantity": 3 }],
    });
    let order = client.post("/orders", body).await.expect(201);
    assert_eq!(order["status"], "placed");
    assert_eq!(order["total_cents"], 4000);
    assert_eq!(order["lines"][0]["book_id"], cheap.id);
    assert_eq!(
        client
            .get(&format!("/orders/{}", order["id"]))
            .await
            .expect(200),
        order
    );
    assert_eq!(factory.copies(cheap.id).await, 7);
    assert_eq!(factory.copies(dear.id).await, 9);
}

#[green_light::test]
async fn the_last_copy_can_be_bought(session: Session, factory: &Factory) {
    let book = factory.book(1).await;
    let customer = factory.customer().await;
    checkout(&session, basket(customer.id, &[(book.id, 1)]))
        .await
        .unwrap();
    assert_eq!(factory.copies(book.id).await, 0);
}

#[green_light::test]
async fn more_than_there_is_cannot_be_bought(desk: &Desk, factory: &Factory) {
    let book = factory.book(2).await;
    let customer = factory.customer().await;
    let body =
        json!({ "customer_id": customer.id, "lines": [{ "book_id": book.id, "quantity": 3 }] });
    let problem = desk
        .post("/orders", body)
        .await
        .problem(409, "out-of-stock");
    assert_eq!(problem["book_id"], book.id);
    assert_eq!(problem["available"], 2);
    assert_eq!(factory.copies(book.id).await, 2);
}

#[green_light::test]
async fn one_book_out_of_stock_leaves_the_others_alone(session: Session, factory: &Factory) {
    let (plenty, none) = (factory.book(5).await, factory.book(0).await);
    let customer = factory.customer().await;
    let wanted = basket(customer.id, &[(plenty.id, 2), (none.id, 1)]);
    let error = checkout(&session, wanted).await.unwrap_err();
    assert!(
        matches!(error, Error::OutOfStock { available: 0, .. }),
        "{error:?}"
    );
    assert_eq!(factory.copies(plenty.id).await, 5);
    assert_eq!(Order::find().count(&session).await.unwrap(), 0);
    assert_eq!(OrderLine::find().count(&session).await.unwrap(), 0);
}

#[green_light::test]
async fn lines_with_the_same_book_count_together(session: Session, factory: &Factory) {
    let book = factory.book(3).await;
    let customer = factory.customer().await;
    let twice_two = basket(customer.id, &[(book.id, 2), (book.id, 2)]);
    let error = checkout(&session, twice_two).await.unwrap_err();
    assert!(
        matches!(error, Error::OutOfStock { requested: 4, .. }),
        "{error:?}"
    );
    let order = checkout(&session, basket(customer.id, &[(book.id, 1), (book.id, 2)]))
        .await
        .unwrap();
    assert_eq!(order.lines.len(), 1);
    assert_eq!(order.lines[0].quantity, 3);
}

#[green_light::test]
async fn an_unknown_customer_buys_nothing(desk: &Desk, factory: &Factory) {
    let book = factory.book(1).await;
    let body = json!({ "customer_id": 4711, "lines": [{ "book_id": book.id, "quantity": 1 }] });
    let problem = desk
        .post("/orders", body)
        .await
        .problem(422, "unknown-reference");
    assert_eq!(
        problem["detail"],
        "the request refers to customer 4711, which does not exist"
    );
    assert_eq!(factory.copies(book.id).await, 1);
}

#[green_light::test]
async fn an_unknown_book_is_not_sold(session: Session, factory: &Factory) {
    let customer = factory.customer().await;
    let error = checkout(&session, basket(customer.id, &[(4711, 1)]))
        .await
        .unwrap_err();
    assert!(
        matches!(
            error,
            Error::UnknownReference {
                what: "book",
                id: 4711
            }
        ),
        "{error:?}"
    );
}

#[green_light::test]
async fn impossible_baskets_are_refused(desk: &Desk, factory: &Factory) {
    let book_id = factory.book(9).await.id;
    let customer_id = factory.customer().await.id;
    for quantity in [-1, 0, 1001] {
        let lines = json!([{ "book_id": book_id, "quantity": quantity }]);
        let body = json!({ "customer_id": customer_id, "lines": lines });
        assert_eq!(
            desk.post("/orders", body).await.problem(422, "invalid")["field"],
            "quantity"
        );
    }
    let body = json!({ "customer_id": customer_id, "lines": [] });
    assert_eq!(
        desk.post("/orders", body).await.problem(422, "invalid")["field"],
        "lines"
    );
}

#[green_light::test]
async fn a_later_price_does_not_change_an_order(session: Session, factory: &Factory) {
    use bookshop::{entity::book, shop::orders};
    use sea_orm::{ActiveModelTrait, ActiveValue::Set};

    let book = factory.book_for(700, 1).await;
    let order = factory.order(book.id, 1).await;
    book::ActiveModel {
        id: Set(book.id),
        price_cents: Set(900),
        ..Default::default()
    }
    .update(&session)
    .await
    .unwrap();
    assert_eq!(
        orders::read(&session, order.id).await.unwrap().total_cents,
        700
    );
}
