//! Bookings are kept as they were made.

use chrono::DateTime;
use chrono_query::{Booking, after, book};
use green_light::prelude::*;

#[fixture(overrides = green_light::fixtures::schema, scope = "process")]
fn schema() -> Schema {
    Schema::sql_dir("migrations")
}

#[fixture(overrides = green_light::fixtures::backend, scope = "process")]
fn backend() -> Backend {
    Backend::Postgres
}

#[green_light::test]
async fn a_booking_keeps_its_time(session: Session) -> Result<(), sqlx::Error> {
    let db = session.postgres_pool();
    let begins = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
    let id = book(db, "Ann", begins).await?;
    let expected = Booking {
        id,
        guest: "Ann".to_owned(),
        begins,
        day: begins.date_naive(),
    };
    assert_eq!(after(db, DateTime::UNIX_EPOCH).await?, [expected]);
    Ok(())
}

#[green_light::test]
async fn and_the_next_test_sees_none(session: Session) -> Result<(), sqlx::Error> {
    let db = session.postgres_pool();
    assert_eq!(after(db, DateTime::UNIX_EPOCH).await?, []);
    Ok(())
}
