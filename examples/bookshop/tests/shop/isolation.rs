//! The next test sees nothing of the previous one, in whichever order they run.
//!
//! Both tests of a pair do the same, and could not if the other one had left anything behind.

use bookshop::{
    entity::prelude::{Author, Book, Customer, Order, Stock},
    shop::customers::{self, Registration},
};
use green_light::prelude::*;
use sea_orm::{ConnectionTrait, EntityTrait, PaginatorTrait, TransactionTrait};
use serde_json::json;

use crate::fixtures::{Client, Factory, client, factory};

async fn registers_the_only_customer(session: &Session) {
    assert_eq!(Customer::find().count(session).await.unwrap(), 0);
    let ann = Registration {
        email: "ann@example.org".into(),
        name: "Ann".into(),
    };
    customers::register(session, ann).await.unwrap();
}

#[green_light::test]
async fn a_customer_registers_here(session: Session) {
    registers_the_only_customer(&session).await;
}

#[green_light::test]
async fn the_same_customer_registers_there(session: Session) {
    registers_the_only_customer(&session).await;
}

async fn commits_the_only_order(session: &Session, factory: &Factory) {
    let db = session.connection();
    assert_eq!(Order::find().count(db).await.unwrap(), 0);
    let book = factory.book(3).await;
    let txn = db.begin().await.unwrap();
    txn.commit().await.unwrap();
    factory.order(book.id, 2).await;
    assert_eq!(Order::find().count(db).await.unwrap(), 1);
}

#[green_light::test]
async fn an_order_is_committed_here(session: Session, factory: &Factory) {
    commits_the_only_order(&session, factory).await;
}

#[green_light::test]
async fn an_order_is_committed_there(session: Session, factory: &Factory) {
    commits_the_only_order(&session, factory).await;
}

async fn posts_the_only_author(client: &Client) {
    client
        .post("/authors", json!({ "name": "Zola" }))
        .await
        .expect(201);
    assert_eq!(client.get("/authors").await.expect(200)["total"], 1);
}

#[green_light::test]
async fn an_author_is_posted_here(client: &Client) {
    posts_the_only_author(client).await;
}

#[green_light::test]
async fn an_author_is_posted_there(client: &Client) {
    posts_the_only_author(client).await;
}

/// Even the tables may be changed. MySQL ends the transaction when they are, so these tests have a
/// database of their own.
async fn alters_a_table(session: &Session) {
    session
        .execute_unprepared("ALTER TABLE authors ADD COLUMN born integer")
        .await
        .unwrap();
    session
        .execute_unprepared("CREATE TABLE notes (id integer)")
        .await
        .unwrap();
}

#[green_light::test(isolation = database)]
async fn a_table_is_altered_here(session: Session) {
    alters_a_table(&session).await;
}

#[green_light::test(isolation = database)]
async fn a_table_is_altered_there(session: Session) {
    alters_a_table(&session).await;
}

/// Left by a body that panicked: nothing, either.
#[green_light::test]
#[should_panic = "on purpose"]
async fn a_body_may_panic_in_a_transaction(session: Session) {
    registers_the_only_customer(&session).await;
    let _open = session.begin().await.unwrap();
    panic!("on purpose");
}

#[green_light::test]
async fn a_test_begins_with_empty_tables(session: Session) {
    assert_eq!(Author::find().count(&session).await.unwrap(), 0);
    assert_eq!(Book::find().count(&session).await.unwrap(), 0);
    assert_eq!(Stock::find().count(&session).await.unwrap(), 0);
    assert_eq!(Customer::find().count(&session).await.unwrap(), 0);
    assert_eq!(Order::find().count(&session).await.unwrap(), 0);
}
