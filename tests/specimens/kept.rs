//! Tests that fail, or are expected to, with a database that may be kept.

use green_light::prelude::*;
use sea_orm::{ConnectionTrait, DbErr};

#[fixture(overrides = green_light::fixtures::schema, scope = "process")]
fn schema() -> Schema {
    Schema::sql("CREATE TABLE evidence (x INT)")
}

async fn leave(session: &Session) -> Result<(), DbErr> {
    let sql = "INSERT INTO evidence VALUES (7)";
    session.execute_unprepared(sql).await.map(drop)
}

#[green_light::test(isolation = database, backends(sqlite, postgres, mysql))]
async fn a_fails_and_is_kept(session: Session) -> Result<(), DbErr> {
    leave(&session).await?;
    panic!("with {}", session.backend());
}

#[green_light::test(isolation = shared, backends(sqlite, postgres, mysql))]
async fn b_fails_with_the_shared_one_and_is_kept(session: Session) -> Result<(), DbErr> {
    leave(&session).await?;
    panic!("with {}", session.backend());
}

#[green_light::test(isolation = shared, backends(sqlite, postgres, mysql))]
async fn c_passes_with_another_shared_one(session: Session) -> Result<(), DbErr> {
    let sql = "INSERT INTO evidence SELECT 1 FROM evidence";
    let found = session.execute_unprepared(sql).await?.rows_affected();
    assert_eq!(found, 0);
    Ok(())
}

#[green_light::test(isolation = transaction, backends(sqlite, postgres, mysql))]
async fn d_fails_in_a_transaction(session: Session) -> Result<(), DbErr> {
    leave(&session).await?;
    panic!("with {}", session.backend());
}

#[green_light::test(isolation = database)]
async fn passes_and_is_not(session: Session) {
    session.ping().await.unwrap();
}

#[green_light::test(isolation = database)]
#[should_panic(expected = "as it should")]
async fn panics_as_it_should_and_is_not(_session: Session) {
    panic!("as it should");
}
