//! On PostgreSQL.

use green_light::prelude::*;
use sea_orm::sqlx::{Executor as _, postgres::PgPoolCopyExt as _};
use sea_orm::{AccessMode, ConnectionTrait, DbErr, IsolationLevel, TransactionTrait};

#[fixture(overrides = green_light::fixtures::backend, scope = "process")]
fn backend() -> Backend {
    Backend::Postgres
}

#[fixture(overrides = green_light::fixtures::schema, scope = "process")]
fn schema() -> Schema {
    Schema::sql("CREATE TABLE author (id INTEGER PRIMARY KEY);
        CREATE TYPE mood AS ENUM ('glad');
        CREATE TABLE p (a int) PARTITION BY RANGE (a);
        CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (1) TO (2);
        CREATE PROCEDURE c() LANGUAGE plpgsql AS $$ BEGIN INSERT INTO author VALUES (1); COMMIT; END $$;")
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
    a_index: "CREATE INDEX CONCURRENTLY i ON author (id)";
    b_vacuum: "VACUUM author";
    c_add_value: "ALTER TYPE mood ADD VALUE 'sad'" "SELECT 'sad'::mood";
    d_detach: "ALTER TABLE p DETACH PARTITION p1 CONCURRENTLY";
    e_create_database: "CREATE DATABASE other";
    f_alter_system: "ALTER SYSTEM SET work_mem = '8MB'";
    g_reindex: "REINDEX TABLE CONCURRENTLY author";
    h_discard: "DISCARD ALL";
    i_call: "CALL c()";
    j_do: "DO $$ BEGIN COMMIT; END $$";
    k_set: "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE";
    l_snapshot: "SELECT pg_export_snapshot()";
    m_prepare: "PREPARE TRANSACTION 'x'";
    n_tablespace: "CREATE TABLESPACE x LOCATION '/nowhere'";
    o_commit: "INSERT INTO author VALUES (1); COMMIT";
    p_commit_prepared: "COMMIT PREPARED 'x'";
    q_drop_database: "DROP DATABASE other";
}

/// Texts on a connection of sqlx that is kept, the last of which fails. How many rows are there after it.
async fn kept(session: &Session) -> Result<i64, sea_orm::sqlx::Error> {
    let pool = session.postgres_pool();
    let mut kept = pool.acquire().await?;
    kept.execute("INSERT INTO author VALUES (1)").await?;
    kept.execute("INSERT INTO author VALUES (1)")
        .await
        .unwrap_err();
    drop(kept);
    let count = sea_orm::sqlx::query_scalar("SELECT count(*) FROM author");
    count.fetch_one(pool).await
}

#[green_light::test]
async fn r_kept(session: Session) -> Result<(), sea_orm::sqlx::Error> {
    assert_eq!(kept(&session).await?, 1, "rows of authors");
    Ok(())
}

#[green_light::test]
async fn r_kept_that_passes(session: Session) -> Result<(), sea_orm::sqlx::Error> {
    kept(&session).await.map(drop)
}

/// Nothing ran before on that connection.
#[green_light::test]
async fn r_alone_that_passes(session: Session) -> Result<(), sea_orm::sqlx::Error> {
    let pool = session.postgres_pool();
    pool.execute("INSERT INTO author VALUES (1)").await?;
    pool.execute("INSERT INTO author VALUES (1)")
        .await
        .unwrap_err();
    Ok(())
}

#[green_light::test]
async fn s_held_cursor(session: Session) -> Result<(), DbErr> {
    let t = session.begin().await?;
    for sql in [
        "CREATE TEMP TABLE a (x int) ON COMMIT DROP",
        "DECLARE held CURSOR WITH HOLD FOR SELECT x FROM a",
    ] {
        t.execute_unprepared(sql).await?;
    }
    t.commit().await?;
    run(&session, "CREATE TEMP TABLE a (x int)").await
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
        .postgres_pool()
        .begin_with("BEGIN ISOLATION LEVEL SERIALIZABLE")
        .await?
        .commit()
        .await
}

#[green_light::test]
async fn x_copy_dropped(session: Session) -> Result<(), sea_orm::sqlx::Error> {
    let pool = session.postgres_pool();
    let mut copy = pool.copy_in_raw("COPY author FROM STDIN").await?;
    copy.send(&b"1\n"[..]).await?;
    drop(copy);
    Ok(())
}

#[green_light::test]
async fn y_tls(session: Session) -> Result<(), sea_orm::sqlx::Error> {
    let url = format!("{}?sslmode=require", session.url());
    sea_orm::sqlx::PgPool::connect(&url).await.map(drop)
}

#[green_light::test]
async fn y_tls_mode(session: Session) -> Result<(), sea_orm::sqlx::Error> {
    let url = format!("{}?sslmode=required", session.url());
    sea_orm::sqlx::PgPool::connect(&url).await.map(drop)
}

#[green_light::test]
async fn z_unwrapped(session: Session) {
    run(&session, "VACUUM").await.unwrap();
}
