//! Handlers that spawn tasks on their own thread.

// guide: local
use actix_web::{
    App, rt,
    test::{TestRequest, call_and_read_body, init_service},
    web,
};

/// A task that a handler spawns stays on the test's thread.
#[green_light::test(local)]
async fn a_handler_may_spawn_tasks() {
    let handler = || async { rt::spawn(async { "done" }).await.unwrap() };
    let service = init_service(App::new().route("/later", web::get().to(handler))).await;
    let request = TestRequest::get().uri("/later").to_request();
    assert_eq!(call_and_read_body(&service, request).await, "done");
}
// guide: end
