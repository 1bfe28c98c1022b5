//! Notes are kept with their time.

use green_light::prelude::*;
use time::OffsetDateTime;
use time_query::{last, write};

#[fixture(overrides = green_light::fixtures::schema, scope = "process")]
fn schema() -> Schema {
    Schema::sql_dir("migrations")
}

#[green_light::test]
async fn the_last_note_is_the_youngest(session: Session) -> Result<(), sqlx::Error> {
    let db = session.sqlite_pool();
    let later = OffsetDateTime::from_unix_timestamp(1_800_000_000).unwrap();
    write(db, "second", later).await?;
    write(db, "first", OffsetDateTime::UNIX_EPOCH).await?;
    assert_eq!(last(db).await?, Some(later));
    Ok(())
}

#[green_light::test]
async fn and_the_next_test_sees_none(session: Session) -> Result<(), sqlx::Error> {
    assert_eq!(last(session.sqlite_pool()).await?, None);
    Ok(())
}
