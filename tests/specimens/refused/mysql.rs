//! On MySQL.

use green_light::prelude::*;
use sea_orm::{
    AccessMode, ConnectionTrait, DbBackend, DbErr, IsolationLevel, Statement, TransactionTrait,
};

#[fixture(overrides = green_light::fixtures::backend, scope = "process")]
fn backend() -> Backend {
    Backend::MySql
}

#[fixture(overrides = green_light::fixtures::schema, scope = "process")]
fn schema() -> Schema {
    Schema::sql(
        "CREATE TABLE author (id INTEGER PRIMARY KEY);
        CREATE TABLE blobs (data LONGBLOB);
        CREATE TABLE words (line TEXT, FULLTEXT (line));
        CREATE PROCEDURE c() BEGIN START TRANSACTION; INSERT INTO author VALUES (1); COMMIT; END;
        CREATE PROCEDURE d() BEGIN INSERT INTO author VALUES (1); COMMIT; END;
        CREATE PROCEDURE r() BEGIN INSERT INTO author VALUES (1); ROLLBACK; END;",
    )
}

async fn run(session: &Session, sql: &str) -> Result<(), DbErr> {
    session.execute_unprepared(sql).await.map(drop)
}

macro_rules! run {
    ($($name:ident: $($sql:literal)+;)+) => {
        $(#[green_light::test]
        async fn $name(session: Session) -> Result<(), DbErr> {
            $(run(&session, $sql).await?;)+
            Ok(())
        })+
    };
}

run! {
    a_create_then_insert: "CREATE TABLE x (a int)" "INSERT INTO author VALUES (1)";
    b_call_begin: "CALL c()";
    b_call_commit: "CALL d()";
    b_call_rollback: "CALL r()";
    c_set: "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE";
    d_lock: "LOCK TABLES author WRITE" "INSERT INTO author VALUES (1)" "UNLOCK TABLES";
    e_xa: "XA START 'x'";
    f_truncate: "INSERT INTO author VALUES (1)" "TRUNCATE author" "INSERT INTO author VALUES (1)";
    g_begin: "START TRANSACTION" "INSERT INTO author VALUES (1)";
    h_set_global: "SET GLOBAL max_connections = 77";
}

#[green_light::test(isolation = database)]
async fn h_create_database(session: Session) -> Result<(), DbErr> {
    run(&session, "CREATE DATABASE other").await
}

#[green_light::test(isolation = database)]
async fn h_create_user(session: Session) -> Result<(), DbErr> {
    run(&session, "CREATE USER other").await
}

/// Whether the test finds what it has written.
async fn search(session: &Session) -> Result<bool, DbErr> {
    run(session, "INSERT INTO words VALUES ('green')").await?;
    let search = "SELECT line FROM words WHERE MATCH (line) AGAINST ('green')";
    let search = Statement::from_string(DbBackend::MySql, search);
    Ok(session.query_one_raw(search).await?.is_some())
}

#[green_light::test]
async fn i_search(session: Session) -> Result<(), DbErr> {
    assert!(search(&session).await?, "nothing was found");
    Ok(())
}

#[green_light::test]
async fn i_search_that_passes(session: Session) -> Result<(), DbErr> {
    search(&session).await.map(drop)
}

/// Another connection and the test wait for each other, and the test, which has written less, is rolled back.
async fn deadlock(session: &Session) -> Result<(), DbErr> {
    run(session, "INSERT INTO author VALUES (1), (2)").await?;
    let rival = sea_orm::Database::connect(session.url().expose()).await?;
    let other = rival.begin().await?;
    for n in 100..150 {
        let insert = format!("INSERT INTO author VALUES ({n})");
        other.execute_unprepared(&insert).await?;
    }
    let waits = green_light::spawn(async move {
        let mine = "INSERT INTO author VALUES (1)";
        other.execute_unprepared(mine).await?;
        other.rollback().await?;
        rival.close().await
    });
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    let found = run(session, "INSERT INTO author VALUES (100)").await;
    waits.await.unwrap()?;
    found
}

#[green_light::test]
async fn j_deadlock(session: Session) -> Result<(), DbErr> {
    deadlock(&session).await
}

#[green_light::test]
async fn j_deadlock_that_passes(session: Session) {
    deadlock(&session).await.unwrap_err();
}

#[green_light::test]
async fn b_call_commit_through_connection(session: Session) -> Result<(), DbErr> {
    session
        .connection()
        .execute_unprepared("CALL d()")
        .await
        .map(drop)
}

#[green_light::test]
async fn b_call_in_transaction(session: Session) -> Result<(), DbErr> {
    let t = session.connection().begin().await?;
    t.execute_unprepared("CALL c()").await?;
    t.execute_unprepared("INSERT INTO author VALUES (2)")
        .await?;
    t.commit().await
}

#[green_light::test]
async fn u_serializable(session: Session) -> Result<(), DbErr> {
    session
        .begin_with_config(Some(IsolationLevel::Serializable), None)
        .await?
        .commit()
        .await
}

#[green_light::test]
async fn v_read_only(session: Session) -> Result<(), DbErr> {
    let t = session
        .connection()
        .begin_with_config(None, Some(AccessMode::ReadOnly))
        .await?;
    t.execute_unprepared("INSERT INTO author VALUES (1)")
        .await?;
    t.commit().await
}

#[green_light::test]
async fn w_begin_with(session: Session) -> Result<(), sea_orm::sqlx::Error> {
    session
        .mysql_pool()
        .begin_with("START TRANSACTION READ ONLY")
        .await?
        .commit()
        .await
}

#[green_light::test]
async fn x_large_row(session: Session) -> Result<(), DbErr> {
    // Larger than the default of MySQL and of MariaDB.
    let data = vec![7_u8; 80 << 20];
    session
        .execute_raw(Statement::from_sql_and_values(
            DbBackend::MySql,
            "INSERT INTO blobs VALUES (?)",
            [data.into()],
        ))
        .await
        .map(drop)
}

#[green_light::test]
async fn y_tls(session: Session) {
    let url = format!("{}&ssl-mode=REQUIRED", session.url());
    sea_orm::Database::connect(&url).await.unwrap();
}

#[green_light::test]
async fn z_unwrapped(session: Session) {
    run(&session, "SET TRANSACTION READ ONLY").await.unwrap();
}
