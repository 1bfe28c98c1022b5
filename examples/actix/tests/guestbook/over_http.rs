//! What a client on the network sees.

use green_light::prelude::*;
use guestbook::entry;
use sea_orm::{EntityTrait, PaginatorTrait};
use serde_json::{Value, json};

use crate::server::{Server, server};

// guide: http
#[green_light::test]
async fn what_is_written_can_be_read(server: &Server, session: Session) {
    let entries = format!("{}/entries", server.url);
    let client = reqwest::Client::new();
    let new = json!({ "guest": "ann", "text": "lovely" });
    let written = client.post(&entries).json(&new).send().await.unwrap();
    assert_eq!(written.status(), 201);
    let read: Value = reqwest::get(&entries).await.unwrap().json().await.unwrap();
    assert_eq!(read[0]["text"], "lovely");
    // The test looks into the same transaction.
    assert_eq!(entry::Entity::find().count(&session).await.unwrap(), 1);
}
// guide: end

#[green_light::test]
async fn the_next_test_finds_the_book_empty(server: &Server) {
    let read = reqwest::get(format!("{}/entries", server.url)).await;
    let read: Value = read.unwrap().json().await.unwrap();
    assert_eq!(read, json!([]));
}

/// Nobody speaks to this server, and it still ends.
#[green_light::test(uses(server))]
async fn a_server_without_clients_ends() {}
