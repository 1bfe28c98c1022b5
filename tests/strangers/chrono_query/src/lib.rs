//! A table at a restaurant, booked with chrono's times.

use chrono::{DateTime, NaiveDate, Utc};
use sqlx::PgPool;
use uuid::Uuid;

/// One booking.
#[derive(Debug, PartialEq)]
pub struct Booking {
    pub id: Uuid,
    pub guest: String,
    pub begins: DateTime<Utc>,
    pub day: NaiveDate,
}

/// Books a table; the day is that of the beginning.
pub async fn book(db: &PgPool, guest: &str, begins: DateTime<Utc>) -> Result<Uuid, sqlx::Error> {
    let day = begins.date_naive();
    let row = sqlx::query!(
        "INSERT INTO booking (guest, begins, day) VALUES ($1, $2, $3) RETURNING id",
        guest,
        begins,
        day
    )
    .fetch_one(db)
    .await?;
    Ok(row.id)
}

/// All bookings that begin after a time, the earliest first.
pub async fn after(db: &PgPool, time: DateTime<Utc>) -> Result<Vec<Booking>, sqlx::Error> {
    sqlx::query_as!(
        Booking,
        "SELECT id, guest, begins, day FROM booking WHERE begins > $1 ORDER BY begins",
        time
    )
    .fetch_all(db)
    .await
}
