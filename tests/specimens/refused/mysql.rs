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
