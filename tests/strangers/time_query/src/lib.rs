//! Notes, each with the time at which it was written.

use sqlx::SqlitePool;
use time::OffsetDateTime;

/// Writes a note.
pub async fn write(db: &SqlitePool, text: &str, at: OffsetDateTime) -> Result<i64, sqlx::Error> {
    let row = sqlx::query!(
        "INSERT INTO note (text, written) VALUES (?, ?) RETURNING id",
        text,
        at
    )
    .fetch_one(db)
    .await?;
    Ok(row.id)
}

/// The time at which the last note was written.
pub async fn last(db: &SqlitePool) -> Result<Option<OffsetDateTime>, sqlx::Error> {
    let row = sqlx::query!("SELECT written FROM note ORDER BY written DESC LIMIT 1")
        .fetch_optional(db)
        .await?;
    Ok(row.map(|row| row.written))
}
