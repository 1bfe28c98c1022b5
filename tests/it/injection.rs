//! How fixtures reach tests and each other.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::atomic::{AtomicU32, Ordering};

use green_light::Scope;
use green_light::prelude::*;

/// A value that is neither `Send` nor `Clone`.
struct Counter(Rc<Cell<u32>>);

#[fixture]
fn counter() -> Counter {
    Counter(Rc::new(Cell::new(0)))
}

#[fixture]
async fn doubled(counter: &Counter) -> u32 {
    tokio::task::yield_now().await;
    counter.0.set(counter.0.get() + 1);
    counter.0.get() * 2
}

#[fixture]
fn port() -> Result<u16, std::num::ParseIntError> {
    "8080".parse()
}

#[fixture]
fn greeting() -> String {
    "hello".to_owned()
}

#[green_light::test]
async fn a_value_is_made_once_and_shared_within_a_test(counter: &Counter, doubled: u32) {
    assert_eq!(doubled, 2);
    assert_eq!(counter.0.get(), 1, "both saw the same counter");
}

#[green_light::test]
async fn another_test_gets_another_value(counter: &Counter) {
    assert_eq!(counter.0.get(), 0);
}

#[green_light::test]
fn a_fixture_that_returns_a_result_provides_its_value(port: u16) {
    assert_eq!(port, 8080);
}

#[green_light::test]
fn references_coerce_as_in_any_call(greeting: &str) {
    assert_eq!(greeting, "hello");
}

#[green_light::test]
fn a_leading_underscore_is_ignored(_counter: &Counter) {}

#[green_light::test]
fn a_fixture_is_renamed_with_from(#[from(greeting)] text: String) {
    assert_eq!(text, "hello");
}

#[green_light::test]
async fn a_test_may_return_a_result(port: u16) -> Result<(), Box<dyn std::error::Error>> {
    assert_eq!(port, "8080".parse::<u16>()?);
    Ok(())
}

static TOUCHED: AtomicU32 = AtomicU32::new(0);

#[fixture]
fn touch() {
    TOUCHED.fetch_add(1, Ordering::Relaxed);
}

#[green_light::test(uses(touch))]
fn uses_requests_a_fixture_without_its_value() {
    assert!(TOUCHED.load(Ordering::Relaxed) >= 1);
}

#[green_light::test]
fn a_test_knows_its_name_and_module(request: &Request) {
    assert_eq!(
        request.test_name(),
        Some("a_test_knows_its_name_and_module")
    );
    assert!(request.module_path().ends_with("::injection"));
    assert_eq!(request.scope(), Scope::Test);
}

/// Fixture items live in the value namespace, so modules and types of the same name are free.
mod entity {
    pub(super) mod user {
        #[derive(Clone, Debug, PartialEq)]
        pub(crate) struct Model {
            pub(crate) name: &'static str,
        }
    }
}
use entity::user;

#[fixture]
fn user() -> user::Model {
    user::Model { name: "ann" }
}

#[green_light::test]
fn a_fixture_may_share_its_name_with_a_module(user: &user::Model) {
    let user = user.clone();
    assert_eq!(user, user::Model { name: "ann" });
}

mod elsewhere {
    use super::port as harbour;

    #[green_light::test]
    fn a_fixture_is_imported_under_another_name(harbour: u16) {
        assert_ne!(harbour, 0);
    }
}
