//! A second database beside the one of `session`.

// guide: databases
use green_light::{Error, fixtures::isolation, prelude::*};
use sea_orm::{ConnectionTrait, DbErr};

/// The second database and its tables, made once.
#[fixture(scope = "process")]
async fn archive_engine() -> Result<Engine, Error> {
    let schema = Schema::sql("CREATE TABLE old_guest (name TEXT NOT NULL)");
    Engine::builder().schema(schema).build().await
}

/// A session of its own for each test, ended with the test.
#[fixture]
async fn archive(
    archive_engine: &Engine,
    isolation: &Isolation,
    out: Yield<Session>,
) -> Result<(), Error> {
    let session = archive_engine.session(*isolation).await?;
    out.give(session.clone()).await;
    session.finish().await
}

#[green_light::test]
async fn guests_go_to_the_archive(session: Session, archive: Session) -> Result<(), DbErr> {
    session
        .execute_unprepared("INSERT INTO guest (name) VALUES ('ann')")
        .await?;
    archive
        .execute_unprepared("INSERT INTO old_guest VALUES ('ann')")
        .await?;
    // Each has its own tables.
    assert!(
        session
            .execute_unprepared("SELECT * FROM old_guest")
            .await
            .is_err()
    );
    Ok(())
}
// guide: end

#[green_light::test]
async fn the_next_test_finds_both_empty(session: Session, archive: Session) -> Result<(), DbErr> {
    for (database, table) in [(&session, "guest"), (&archive, "old_guest")] {
        let deleted = database
            .execute_unprepared(&format!("DELETE FROM {table}"))
            .await?;
        assert_eq!(deleted.rows_affected(), 0);
    }
    Ok(())
}
