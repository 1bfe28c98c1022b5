//! Tests that end the transaction that isolates them, block themselves, or leave things behind.

use std::time::Duration;

use green_light::{Error, prelude::*};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbErr, TransactionTrait};

#[fixture(overrides = green_light::fixtures::engine, scope = "process")]
async fn engine() -> Result<Engine, Error> {
    let tables = "CREATE TABLE author (id INTEGER PRIMARY KEY);
        CREATE TABLE book (author INTEGER REFERENCES author (id) DEFERRABLE INITIALLY DEFERRED)";
    Engine::builder()
        .schema(Schema::sql(tables))
        .connection_timeout(Duration::from_millis(200))
        .teardown_timeout(Duration::from_millis(200))
        .build()
        .await
}

#[green_light::test]
async fn a_commits_by_hand(session: Session) {
    let _ = session
        .execute_unprepared("INSERT INTO author VALUES (1); COMMIT")
        .await;
}

#[green_light::test]
async fn b_rolls_back_by_hand_and_fails(session: Session) {
    session
        .connection()
        .execute_unprepared("ROLLBACK")
        .await
        .unwrap();
    panic!("its own failure is not replaced");
}

#[green_light::test]
async fn c_leaves_an_orphan(session: Session) -> Result<(), DbErr> {
    session
        .execute_unprepared("INSERT INTO book VALUES (7)")
        .await
        .map(drop)
}

#[green_light::test]
async fn d_forgets_a_transaction(session: Session) -> Result<(), DbErr> {
    std::mem::forget(session.begin().await?);
    Ok(())
}

async fn application(db: &DatabaseConnection) -> Result<(), DbErr> {
    let tx = db.begin().await?;
    db.execute_unprepared("INSERT INTO author VALUES (1)")
        .await?;
    tx.commit().await
}

#[green_light::test]
async fn e_waits_for_itself(session: Session) -> Result<(), DbErr> {
    application(&session).await
}

#[green_light::test]
async fn f_waits_for_itself_through_the_session(session: Session) -> Result<(), DbErr> {
    let _tx = session.begin().await?;
    session
        .execute_unprepared("INSERT INTO author VALUES (1)")
        .await
        .map(drop)
}

mod broken_schema {
    use green_light::prelude::*;

    #[fixture(overrides = green_light::fixtures::engine, scope = "process")]
    async fn engine() -> Result<Engine, green_light::Error> {
        let schema = Schema::sql("CREATE TABLE a (x);\nCREATE TABEL b (y)");
        Engine::builder().schema(schema).build().await
    }

    #[green_light::test]
    fn g_never_runs(session: Session) {
        let _ = session;
    }
}

/// A handler of HTTP: what the database says is not in its answer.
async fn handler(db: &DatabaseConnection) -> u16 {
    let author = |id: i32| {
        let insert = "INSERT INTO author (id) VALUES (?)";
        sea_orm::Statement::from_sql_and_values(db.get_database_backend(), insert, [id.into()])
    };
    for id in [1, 1] {
        if db.execute_raw(author(id)).await.is_err() {
            return 500;
        }
    }
    200
}

#[green_light::test]
async fn h_hides_an_error(session: Session) {
    assert_eq!(handler(&session).await, 200);
}

#[green_light::test]
async fn z_sees_nothing_of_them(session: Session) -> Result<(), DbErr> {
    session
        .execute_unprepared("INSERT INTO author VALUES (1)")
        .await
        .map(drop)
}
