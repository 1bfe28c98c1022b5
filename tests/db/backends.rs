//! One test on several databases, by option and by case.

use std::sync::atomic::{AtomicU32, Ordering};

use green_light::fixtures::{backend, isolation};
use green_light::prelude::*;

static MADE: AtomicU32 = AtomicU32::new(0);

/// Built from an engine, so there is one for each backend.
#[fixture(scope = "process")]
fn of_engine(engine: &Engine) -> Backend {
    MADE.fetch_add(1, Ordering::Relaxed);
    engine.backend()
}

#[green_light::test(backends(sqlite, postgres, mysql))]
async fn every_fixture_follows_the_option(
    session: Session,
    backend: Backend,
    of_engine: Backend,
    request: &Request,
) {
    session.ping().await.unwrap();
    assert_eq!(session.backend(), backend);
    assert_eq!(of_engine, backend);
    let name = format!("every_fixture_follows_the_option::{backend}");
    assert_eq!(request.test_name(), Some(&*name));
}

#[green_light::test]
async fn every_fixture_follows_the_case(
    #[values(Backend::Sqlite, Backend::Postgres, Backend::MySql)]
    #[from(backend)]
    wanted: Backend,
    #[values(Isolation::Transaction, Isolation::Database, Isolation::Shared)]
    #[from(isolation)]
    kept_apart: Isolation,
    session: Session,
    of_engine: Backend,
) {
    session.ping().await.unwrap();
    assert_eq!(session.backend(), wanted);
    assert_eq!(of_engine, wanted);
    assert!(MADE.load(Ordering::Relaxed) <= 3, "kept for {kept_apart}");
}
