//! The process connects once, so all tests here have one database, and take turns. Each finds it empty.

use axum::{
    body::{Body, to_bytes},
    http::{Method, Request},
};
use green_light::prelude::*;
use tower::ServiceExt as _;
use visits::{db, routes};

#[fixture(overrides = green_light::fixtures::schema)]
fn schema() -> Schema {
    Schema::sqlx(sqlx::migrate!())
}

#[fixture(overrides = green_light::fixtures::isolation)]
fn isolation() -> Isolation {
    Isolation::Shared
}

/// A test that has it finds the pool of the process connected.
#[fixture(autouse)]
async fn connected(database_url: String) -> sqlx::Result<()> {
    db::connect(&database_url).await
}

async fn send(method: Method, path: &str) -> String {
    let request = Request::builder().method(method).uri(path);
    let request = request.body(Body::empty()).unwrap();
    let response = routes().oneshot(request).await.unwrap();
    assert!(response.status().is_success(), "{response:?}");
    let body = to_bytes(response.into_body(), 1 << 16).await.unwrap();
    String::from_utf8(body.to_vec()).unwrap()
}

#[green_light::test]
async fn visits_are_counted_by_page() {
    for (page, visits) in [("home", "1"), ("home", "2"), ("shop", "1")] {
        assert_eq!(send(Method::POST, &format!("/visits/{page}")).await, visits);
    }
    let all = send(Method::GET, "/visits").await;
    assert_eq!(all, r#"[["home",2],["shop",1]]"#);
}

#[green_light::test]
async fn the_next_test_finds_no_visits() {
    assert_eq!(send(Method::GET, "/visits").await, "[]");
}

#[green_light::test]
async fn visitors_at_once_are_all_counted() {
    const VISITORS: i64 = 20;
    let visits: Vec<_> = (0..VISITORS)
        .map(|_| green_light::spawn(send(Method::POST, "/visits/home")))
        .collect();
    for visit in visits {
        visit.await.unwrap();
    }
    let visits: i64 = sqlx::query_scalar("SELECT visits FROM visit")
        .fetch_one(db::pool())
        .await
        .unwrap();
    assert_eq!(visits, VISITORS);
}
