//! An application that waits for a connection which the test itself holds.

use std::time::Duration;

use green_light::prelude::*;
use sea_orm::{ConnectionTrait, DatabaseConnection, TransactionTrait};

#[fixture(overrides = green_light::fixtures::engine, scope = "process")]
async fn engine() -> Result<Engine, green_light::Error> {
    Engine::builder()
        .schema(Schema::sql("CREATE TABLE book (id INTEGER PRIMARY KEY)"))
        .connection_timeout(Duration::from_millis(20))
        .build()
        .await
}

/// An application that hides what went wrong, as one should from its clients.
async fn status(db: &DatabaseConnection) -> u16 {
    match db
        .execute_unprepared("INSERT INTO book DEFAULT VALUES")
        .await
    {
        Ok(_) => 200,
        Err(_) => 500,
    }
}

#[green_light::test]
async fn hidden_by_the_application(session: Session) {
    let transaction = session.begin().await.unwrap();
    transaction
        .execute_unprepared("DELETE FROM book")
        .await
        .unwrap();
    assert_eq!(status(&session).await, 200);
}
