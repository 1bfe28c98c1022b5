//! What only shows on the wire.

use axum::{
    Router,
    body::Body,
    http::{Request, StatusCode, header},
};
use bookshop::entity::prelude::Author;
use green_light::prelude::*;
use sea_orm::{DbErr, EntityTrait, PaginatorTrait};
use serde_json::json;
use tower::ServiceExt;

use crate::fixtures::{Client, Desk, Factory, client, desk, factory, router, server};

#[green_light::test]
async fn a_request_writes_an_author(router: Router, session: Session) -> Result<(), DbErr> {
    let request = Request::post("/authors")
        .header(header::CONTENT_TYPE, "application/json")
        .body(Body::from(r#"{ "name": "Zola" }"#))
        .unwrap();
    let response = router.oneshot(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::CREATED);
    assert_eq!(Author::find().count(&session).await?, 1);
    Ok(())
}

#[green_light::test]
async fn answers_are_json(client: &Client, factory: &Factory) {
    let author = factory.author().await;
    let answer = client.get(&format!("/authors/{}", author.id)).await;
    assert_eq!(answer.content_type, "application/json");
    assert_eq!(
        answer.expect(200),
        json!({ "id": author.id, "name": author.name })
    );
}

#[green_light::test]
async fn unknown_paths_are_problems(client: &Client) {
    let problem = client.get("/magazines").await.problem(404, "no-route");
    assert_eq!(problem["detail"], "there is nothing at /magazines");
    client.get("/books/seven").await.problem(404, "no-route");
    client
        .post("/books/1", json!({}))
        .await
        .problem(405, "no-method");
}

#[green_light::test]
async fn malformed_bodies_are_problems(desk: &Desk) {
    desk.call("POST", "/authors", Body::from("{"))
        .await
        .problem(400, "malformed");
    desk.post("/authors", json!({ "nom": "Zola" }))
        .await
        .problem(422, "malformed");
}

#[green_light::test]
async fn requests_may_come_at_once(client: &Client, factory: &Factory) {
    let book = factory.book(1).await;
    let path = format!("/books/{}", book.id);
    let (a, b, c) = tokio::join!(client.get(&path), client.get(&path), client.get(&path));
    for answer in [a, b, c] {
        assert_eq!(answer.expect(200)["title"], book.title);
    }
}

/// No client speaks to this server, and it still ends.
#[green_light::test(uses(server))]
async fn a_server_without_clients_ends() {}
