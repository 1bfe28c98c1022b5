//! Tasks that belong to a test.

use std::time::Duration;

use green_light::prelude::*;
use sea_orm::{ConnectionTrait, DatabaseConnection, DbErr};
use tokio::time::sleep;

/// The worker of an application: greets the guests that have come.
async fn greet(db: DatabaseConnection) -> Result<(), DbErr> {
    loop {
        db.execute_unprepared(
            "UPDATE guest SET name = 'dear ' || name WHERE name NOT LIKE 'dear %'",
        )
        .await?;
        sleep(Duration::from_millis(5)).await;
    }
}

/// How many guests have a name like this one.
async fn guests(session: &Session, like: &str) -> Result<usize, DbErr> {
    let sql = format!("SELECT 1 FROM guest WHERE name LIKE '{like}'");
    let statement = sea_orm::Statement::from_string(sea_orm::DbBackend::Sqlite, sql);
    Ok(session.query_all_raw(statement).await?.len())
}

#[green_light::test]
async fn guests_are_greeted(session: Session) -> Result<(), DbErr> {
    green_light::spawn(greet(session.connection().clone()));
    let new_guest = "INSERT INTO guest (name) VALUES ('ann')";
    session.execute_unprepared(new_guest).await?;
    while guests(&session, "dear ann").await? == 0 {
        sleep(Duration::from_millis(5)).await;
    }
    Ok(())
}

async fn greet_nobody() {
    panic!("there are no guests");
}

#[green_light::test]
async fn greeting_nobody_panics() {
    let ended = tokio::spawn(greet_nobody()).await;
    assert!(ended.unwrap_err().is_panic());
}
