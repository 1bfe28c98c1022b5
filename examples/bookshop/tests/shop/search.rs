//! Listing, searching and paging through the catalogue.

use green_light::prelude::*;
use serde_json::{Value, json};

use crate::fixtures::{Desk, desk};

/// Title, author and copies of one book on the shelf.
type Entry = (&'static str, &'static str, i32);

/// What is on the shelf in this module. It does not change, so its tests share it.
#[fixture(scope = "module")]
fn entries() -> Vec<Entry> {
    vec![
        ("Around the World in 80 Days", "Jules Verne", 4),
        ("100% Nana", "Émile Zola", 0),
        ("Les Misérables", "Victor Hugo", 2),
        ("Michel Strogoff", "Jules Verne", 1),
        ("The Nana_Complex", "Anonymous", 3),
    ]
}

/// The books of `entries`, put on the shelf for every test of this module, asked for or not.
#[fixture(autouse)]
async fn shelf(desk: &Desk, entries: &Vec<Entry>) {
    let mut authors: Vec<(&str, Value)> = Vec::new();
    for (number, &(title, name, copies)) in (1..).zip(entries) {
        let known = authors
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, id)| id.clone());
        let author_id = match known {
            Some(id) => id,
            None => {
                let author = desk
                    .post("/authors", json!({ "name": name }))
                    .await
                    .expect(201);
                authors.push((name, author["id"].clone()));
                author["id"].clone()
            }
        };
        let isbn = crate::fixtures::isbn(number);
        let book = json!({
            "isbn": isbn, "title": title, "author_id": author_id, "price_cents": 500,
            "copies": copies,
        });
        desk.post("/books", book).await.expect(201);
    }
}

async fn titles(desk: &Desk, query: &str) -> Vec<String> {
    let page = desk.get(&format!("/books{query}")).await.expect(200);
    let items = page["items"].as_array().unwrap();
    items
        .iter()
        .map(|book| book["title"].as_str().unwrap().to_owned())
        .collect()
}

#[green_light::test]
async fn all_books_are_listed_by_title(desk: &Desk, entries: &Vec<Entry>) {
    let mut sorted: Vec<&str> = entries.iter().map(|entry| entry.0).collect();
    sorted.sort_unstable();
    assert_eq!(titles(desk, "").await, sorted);
}

#[green_light::test]
async fn a_search_looks_at_titles_and_names_in_any_case(desk: &Desk) {
    assert_eq!(titles(desk, "?q=STROG").await, ["Michel Strogoff"]);
    let verne = ["Around the World in 80 Days", "Michel Strogoff"];
    assert_eq!(titles(desk, "?q=jules%20v").await, verne);
    assert!(titles(desk, "?q=balzac").await.is_empty());
}

#[green_light::test]
async fn wildcards_are_letters_like_others(desk: &Desk) {
    assert_eq!(titles(desk, "?q=0%25").await, ["100% Nana"]);
    assert_eq!(titles(desk, "?q=nana_").await, ["The Nana_Complex"]);
    assert!(titles(desk, "?q=!").await.is_empty());
}

#[green_light::test]
async fn books_out_of_stock_can_be_left_out(desk: &Desk) {
    assert_eq!(
        titles(desk, "?q=nana&in_stock=true").await,
        ["The Nana_Complex"]
    );
}

#[green_light::test]
async fn pages_cover_the_list_without_gaps(desk: &Desk, entries: &Vec<Entry>) {
    let mut seen = Vec::new();
    for page in 1..=3 {
        seen.extend(titles(desk, &format!("?page={page}&per_page=2")).await);
    }
    assert_eq!(seen, titles(desk, "").await);
    assert_eq!(seen.len(), entries.len());
    assert!(titles(desk, "?page=4&per_page=2").await.is_empty());
}

#[green_light::test]
async fn impossible_pages_are_refused(desk: &Desk) {
    for (query, field) in [
        ("page=0", "page"),
        ("per_page=0", "per_page"),
        ("per_page=101", "per_page"),
    ] {
        let problem = desk
            .get(&format!("/books?{query}"))
            .await
            .problem(422, "invalid");
        assert_eq!(problem["field"], field);
    }
    desk.get("/books?page=two").await.problem(400, "malformed");
}
