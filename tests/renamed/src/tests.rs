//! Tests under the other name, one for each thing that attributes emit.

use std::time::Duration;

use gl::fixtures::session;

use crate::{greeting, port};

#[gl::fixture(crate = gl, overrides = gl::fixtures::schema)]
fn schema() -> gl::Schema {
    gl::Schema::sql("CREATE TABLE u (id INTEGER PRIMARY KEY)")
}

#[gl::fixture(crate = gl, around)]
async fn around(next: gl::Next<'_>) -> gl::Outcome {
    next.run().await
}

#[gl::test(crate = gl)]
fn values_are_injected(port: u16, greeting: &str) {
    assert_eq!(port, 8080);
    assert_eq!(greeting, "values_are_injected on 8080");
}

#[gl::test(crate = gl, uses(around, port), timeout = "10m")]
async fn a_test_may_fail(#[from(greeting)] text: String) -> Result<(), std::num::ParseIntError> {
    assert_eq!(
        text.rsplit(' ').next().unwrap_or_default().parse::<u16>()?,
        8080
    );
    Ok(())
}

#[gl::test(crate = gl)]
fn synchronous_code_waits(session: &gl::Session) {
    gl::wait(tokio_free_pause());
    assert_eq!(session.backend(), gl::Backend::Sqlite);
}

/// Nothing but green-light is a dependency here.
async fn tokio_free_pause() {
    std::future::ready(Duration::ZERO).await;
}
