//! What wraps a test: spans, task-locals, time.

// guide: around
use std::time::Duration;

use green_light::prelude::*;
use tracing::Instrument;

/// Whatever fixtures and the body log has the name of the test with it.
#[fixture(around, autouse)]
async fn in_a_span(next: Next<'_>, request: &Request) -> Outcome {
    let span = tracing::info_span!("test", name = request.test_name());
    next.run().instrument(span).await
}

tokio::task_local! {
    /// Whose request this is.
    static TENANT: &'static str;
}

/// Code under test finds a tenant, as it does behind the application's middleware.
#[fixture(around)]
async fn as_acme(next: Next<'_>) -> Outcome {
    TENANT.scope("acme", next.run()).await
}

/// What is late is dropped, and torn down all the same.
#[fixture(around)]
async fn at_once(next: Next<'_>) -> Outcome {
    match tokio::time::timeout(Duration::from_secs(30), next.run()).await {
        Ok(outcome) => outcome,
        Err(_) => Outcome::failed("this was to be quick"),
    }
}

#[fixture]
fn tenant() -> String {
    TENANT.get().to_owned()
}

#[green_light::test(uses(as_acme, at_once))]
async fn fixtures_and_body_have_the_tenant(tenant: &str) {
    assert_eq!(tenant, TENANT.get());
}
// guide: end

#[green_light::test]
fn without_the_fixture_there_is_none() {
    assert!(TENANT.try_with(|_| ()).is_err());
}
