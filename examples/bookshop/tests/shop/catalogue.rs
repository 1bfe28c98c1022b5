//! Authors and books, called in process.

use bookshop::{
    entity::prelude::{Author, Book, Stock},
    shop::books::{self, NewBook},
};
use green_light::prelude::*;
use sea_orm::{EntityTrait, PaginatorTrait};
use serde_json::{Value, json};

use crate::fixtures::{Desk, Factory, desk, factory};

fn nana(author_id: i32) -> Value {
    json!({
        "isbn": "978-0-306-40615-7", "title": "Nana", "author_id": author_id,
        "price_cents": 950, "published_year": 1880, "copies": 3,
    })
}

#[green_light::test]
async fn an_author_is_added_and_read(desk: &Desk) {
    let added = desk
        .post("/authors", json!({ "name": "  Émile Zola " }))
        .await
        .expect(201);
    assert_eq!(added["name"], "Émile Zola");
    let read = desk
        .get(&format!("/authors/{}", added["id"]))
        .await
        .expect(200);
    assert_eq!(read, added);
}

#[green_light::test]
async fn an_author_is_not_added_twice(desk: &Desk, session: Session) {
    desk.post("/authors", json!({ "name": "Zola" }))
        .await
        .expect(201);
    let problem = desk
        .post("/authors", json!({ "name": "Zola" }))
        .await
        .problem(409, "duplicate");
    assert_eq!(problem["detail"], "author with name `Zola` already exists");
    assert_eq!(problem["field"], "name");
    assert_eq!(Author::find().count(&session).await.unwrap(), 1);
}

#[green_light::test]
async fn authors_are_listed_by_name(desk: &Desk) {
    for name in ["Verne", "Hugo", "Zola"] {
        desk.post("/authors", json!({ "name": name }))
            .await
            .expect(201);
    }
    let page = desk.get("/authors?per_page=2").await.expect(200);
    assert_eq!(page["items"][0]["name"], "Hugo");
    assert_eq!(page["items"][1]["name"], "Verne");
    assert_eq!(page["items"][2], Value::Null);
    assert_eq!((&page["total"], &page["pages"]), (&json!(3), &json!(2)));
}

#[green_light::test]
async fn a_book_comes_with_its_copies(desk: &Desk, factory: &Factory) {
    let author = factory.author().await;
    let book = desk.post("/books", nana(author.id)).await.expect(201);
    assert_eq!(book["isbn"], "9780306406157");
    assert_eq!(book["author"], author.name);
    assert_eq!(book["copies"], 3);
    assert_eq!(book["published_year"], 1880);
    assert_eq!(
        desk.get(&format!("/books/{}", book["id"]))
            .await
            .expect(200),
        book
    );
}

#[green_light::test]
async fn a_book_of_nobody_is_refused_and_leaves_nothing(desk: &Desk, session: Session) {
    let problem = desk
        .post("/books", nana(4711))
        .await
        .problem(422, "unknown-reference");
    assert_eq!(
        problem["detail"],
        "the request refers to author 4711, which does not exist"
    );
    assert_eq!(Book::find().count(&session).await.unwrap(), 0);
    assert_eq!(Stock::find().count(&session).await.unwrap(), 0);
}

#[green_light::test]
async fn an_isbn_is_taken_once(desk: &Desk, factory: &Factory) {
    let author = factory.author().await;
    desk.post("/books", nana(author.id)).await.expect(201);
    let problem = desk
        .post("/books", nana(author.id))
        .await
        .problem(409, "duplicate");
    assert_eq!(problem["field"], "isbn");
}

#[green_light::test]
async fn impossible_books_are_refused(desk: &Desk, factory: &Factory) {
    let author = factory.author().await;
    for (field, value) in [
        ("isbn", json!("9780306406158")),
        ("title", json!(" ")),
        ("price_cents", json!(-1)),
    ] {
        let mut book = nana(author.id);
        book[field] = value;
        let problem = desk.post("/books", book).await.problem(422, "invalid");
        assert_eq!(problem["field"], field);
    }
}

#[green_light::test]
async fn copies_are_added_to_the_stock(desk: &Desk, factory: &Factory) {
    let book = factory.book(2).await;
    let path = format!("/books/{}/restock", book.id);
    assert_eq!(
        desk.post(&path, json!({ "copies": 5 })).await.expect(200)["copies"],
        7
    );
    desk.post(&path, json!({ "copies": 0 }))
        .await
        .problem(422, "invalid");
    desk.post(&path, json!({ "copies": i32::MAX }))
        .await
        .problem(422, "invalid");
    desk.post("/books/4711/restock", json!({ "copies": 1 }))
        .await
        .problem(404, "not-found");
    assert_eq!(factory.copies(book.id).await, 7);
}

/// The shop is a library, too: no HTTP, and the session where a `DatabaseConnection` is asked for.
#[green_light::test]
async fn the_shop_takes_a_session_for_a_connection(
    session: Session,
    factory: &Factory,
) -> bookshop::Result<()> {
    let author_id = factory.author().await.id;
    let book = books::add(
        &session,
        NewBook {
            isbn: "9783161484100".into(),
            title: "Germinal".into(),
            author_id,
            price_cents: 1200,
            published_year: None,
            copies: 1,
        },
    )
    .await?;
    assert_eq!(books::read(&session, book.id).await?, book);
    Ok(())
}
