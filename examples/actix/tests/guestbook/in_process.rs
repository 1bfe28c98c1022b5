//! The service without a socket: on the test's own thread, so it need not be `Send`.

// guide: in process
use actix_web::{
    App,
    http::StatusCode,
    test::{TestRequest, call_and_read_body_json, call_service, init_service},
};
use green_light::prelude::*;
use guestbook::{entry, routes};
use serde_json::json;

#[green_light::test]
async fn a_guest_writes_once(session: &Session) {
    let service = init_service(App::new().configure(routes(session.connection().clone()))).await;
    let write = |text: &str| {
        TestRequest::post()
            .uri("/entries")
            .set_json(json!({ "guest": "ann", "text": text }))
            .to_request()
    };
    let entry: entry::Model = call_and_read_body_json(&service, write("lovely")).await;
    assert_eq!(entry.guest, "ann");
    let again = call_service(&service, write("still lovely")).await;
    assert_eq!(again.status(), StatusCode::CONFLICT);
}
// guide: end

#[green_light::test]
async fn a_bad_request_is_told(session: &Session) {
    let service = init_service(App::new().configure(routes(session.connection().clone()))).await;
    let request = TestRequest::post().uri("/entries").set_json(json!({}));
    let answer = call_service(&service, request.to_request()).await;
    assert_eq!(answer.status(), StatusCode::BAD_REQUEST);
}
