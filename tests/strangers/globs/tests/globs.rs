//! A file of the name of its crate, with the globs of a whole application.

#![allow(unused_imports)]

use async_graphql::*;
use axum::extract::*;
use axum::response::*;
use axum::routing::*;
use globs::*;
use sea_orm::entity::prelude::*;
use sea_orm::prelude::*;
use sqlx::prelude::*;
use tower_sessions::*;

use green_light::fixtures::{backend, isolation};
use green_light::prelude::*;

// Names that more than one of them exports.
use green_light::{Request, Schema, Session};
use std::result::Result;

#[fixture(overrides = green_light::fixtures::schema)]
fn schema() -> Schema {
    Schema::sql("CREATE TABLE book (title TEXT)")
}

#[fixture]
async fn saved(session: &Session, out: Yield<u64>) -> Result<(), DbErr> {
    let done = session
        .execute_unprepared("INSERT INTO book VALUES ('Emma')")
        .await?;
    out.give(done.rows_affected()).await;
    Ok(())
}

#[fixture(around, autouse)]
async fn around(next: Next<'_>, _request: &Request) -> Outcome {
    next.run().await
}

#[green_light::test]
async fn writes(saved: u64, transaction: &Transaction) {
    let _ = transaction;
    assert_eq!(saved, 1);
}

#[green_light::test(backends(sqlite))]
async fn answers(session: Session, backend: Backend, isolation: Isolation, engine: &Engine) {
    let _ = (session, backend, isolation, engine);
    assert!(api().execute("{ books }").await.errors.is_empty());
}
