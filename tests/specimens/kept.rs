//! Tests that fail, or are expected to, with a database of their own that may be kept.

use green_light::prelude::*;

#[fixture(overrides = green_light::fixtures::isolation)]
fn isolation() -> Isolation {
    Isolation::Database
}

#[green_light::test]
async fn fails_and_is_kept(session: Session) {
    panic!("with {}", session.backend());
}

#[green_light::test]
async fn passes_and_is_not(session: Session) {
    session.ping().await.unwrap();
}

#[green_light::test]
#[should_panic(expected = "as it should")]
async fn panics_as_it_should_and_is_not(_session: Session) {
    panic!("as it should");
}
