//! The test's own transaction, its savepoints, and transactions of a session.

use green_light::{TransactionOptions, prelude::*};
use sea_orm::{ConnectionTrait, DbErr};

use crate::schema::number;

#[fixture(overrides = green_light::fixtures::schema)]
fn schema() -> Schema {
    Schema::sql("CREATE TABLE u (email TEXT NOT NULL UNIQUE)")
}

const COUNT: &str = "SELECT count(*) FROM u";
const INSERT: &str = "INSERT INTO u (email) VALUES ('ann')";

#[green_light::test]
async fn a_savepoint_is_a_mark_to_come_back_to(
    transaction: &Transaction,
    session: Session,
) -> Result<(), DbErr> {
    let mark = transaction.savepoint().await?;
    session.execute_unprepared(INSERT).await?;
    mark.rollback().await?;
    session.execute_unprepared(INSERT).await?;
    assert_eq!(number(&session, COUNT).await?, 1);
    mark.release().await?;
    Ok(())
}

#[green_light::test]
async fn a_transaction_of_the_session_can_be_rolled_back(session: Session) -> Result<(), DbErr> {
    let options = TransactionOptions::new().rollback(true).nested(true);
    session
        .transaction(options, async |tx| tx.execute_unprepared(INSERT).await)
        .await
        .map_err(|error| DbErr::Custom(error.to_string()))?;
    assert_eq!(number(&session, COUNT).await?, 0);
    Ok(())
}

#[green_light::test]
async fn session_and_transaction_are_the_same_database(
    transaction: &Transaction,
    session: &Session,
) -> Result<(), DbErr> {
    session.execute_unprepared(INSERT).await?;
    assert_eq!(number(&transaction.connection(), COUNT).await?, 1);
    Ok(())
}
