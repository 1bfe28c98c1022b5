//! On SQLite.

use green_light::prelude::*;
use sea_orm::{ConnectionTrait, DbErr};

async fn run(session: &Session, sql: &str) -> Result<(), DbErr> {
    session.execute_unprepared(sql).await.map(drop)
}

#[green_light::test]
async fn a_vacuum(session: Session) -> Result<(), DbErr> {
    run(&session, "VACUUM").await
}

#[green_light::test]
async fn b_detach(session: Session) -> Result<(), DbErr> {
    run(&session, "ATTACH ':memory:' AS other").await?;
    run(&session, "CREATE TABLE other.a (b)").await?;
    run(&session, "DETACH other").await
}

mod file {
    use green_light::Error;
    use green_light::prelude::*;
    use sea_orm::DbErr;

    #[fixture(overrides = green_light::fixtures::engine, scope = "process")]
    async fn engine() -> Result<Engine, Error> {
        Engine::builder().file().build().await
    }

    #[green_light::test]
    async fn c_journal_mode(session: Session) -> Result<(), DbErr> {
        super::run(&session, "PRAGMA journal_mode = WAL").await
    }
}

#[green_light::test]
async fn d_synchronous(session: Session) -> Result<(), DbErr> {
    run(&session, "PRAGMA synchronous = OFF").await
}

#[green_light::test]
async fn e_begin(session: Session) -> Result<(), DbErr> {
    run(&session, "BEGIN IMMEDIATE").await
}

#[green_light::test]
async fn f_commit(session: Session) -> Result<(), DbErr> {
    run(&session, "COMMIT").await
}

#[green_light::test]
async fn i_checkpoint(session: Session) -> Result<(), DbErr> {
    run(&session, "CREATE TABLE a (b)").await?;
    run(&session, "PRAGMA wal_checkpoint(TRUNCATE)").await
}

#[green_light::test]
async fn j_begin_with(session: Session) -> Result<(), sea_orm::sqlx::Error> {
    session
        .sqlite_pool()
        .begin_with("BEGIN IMMEDIATE")
        .await?
        .commit()
        .await
}

#[green_light::test]
async fn z_unwrapped(session: Session) {
    run(&session, "VACUUM").await.unwrap();
}
