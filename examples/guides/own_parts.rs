//! The ready-made parts, put together by hand: for those who come from pytest-green-light.

// guide: parts
use green_light::{Error, TransactionOptions, context, prelude::*, wait};
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbErr, TransactionError};

/// As `create_async_engine_fixture`.
#[fixture(scope = "process")]
async fn my_engine() -> Result<Engine, Error> {
    let schema = Schema::sql("CREATE TABLE note (text TEXT)");
    Engine::builder().schema(schema).build().await
}

/// As `create_async_session_fixture`.
#[fixture]
async fn my_session(my_engine: &Engine, out: Yield<Session>) -> Result<(), Error> {
    let session = my_engine.session(Isolation::Transaction).await?;
    out.give(session.clone()).await;
    session.finish().await
}

async fn notes(session: &Session) -> Result<u64, DbErr> {
    let all = "UPDATE note SET text = text";
    Ok(session.execute_unprepared(all).await?.rows_affected())
}

async fn write(transaction: &DatabaseTransaction) -> Result<(), DbErr> {
    let insert = "INSERT INTO note VALUES ('hello')";
    transaction.execute_unprepared(insert).await.map(drop)
}

/// As `async_db_transaction(rollback=True)` and `async_db_transaction(nested=True)`.
#[green_light::test]
async fn transactions_end_as_asked(my_session: Session) -> Result<(), TransactionError<DbErr>> {
    let undone = TransactionOptions::new().rollback(true);
    my_session.transaction(undone, write).await?;
    assert_eq!(notes(&my_session).await?, 0);

    let inner = TransactionOptions::new().nested(true);
    my_session.transaction(inner, write).await?;
    assert_eq!(notes(&my_session).await?, 1);
    Ok(())
}

/// As `greenlet_spawn` and `await_only`.
#[green_light::test(context = false)]
async fn synchronous_code_has_a_stack_of_its_own(my_session: Session) {
    let count = context::run_sync(move || wait(notes(&my_session))).await;
    assert_eq!(count, Ok(0));
}
// guide: end
