//! Return types that are a `Result` by another name.

use std::io;

use green_light::prelude::*;

type Fallible<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;
type DbResult = Result<(), sea_orm::DbErr>;

#[fixture]
fn of_io() -> io::Result<u32> {
    Ok(1)
}

#[fixture]
fn of_anyhow() -> anyhow::Result<u32> {
    Ok(2)
}

#[fixture]
async fn yielding(out: Yield<u32>) -> anyhow::Result<()> {
    out.give(3).await;
    Ok(())
}

#[green_light::test]
fn a_fixture_gives_the_value(of_io: u32, of_anyhow: u32, yielding: u32) -> anyhow::Result<()> {
    anyhow::ensure!((of_io, of_anyhow, yielding) == (1, 2, 3));
    Ok(())
}

#[green_light::test]
async fn a_test_returns_an_alias() -> Fallible<()> {
    Ok(())
}

#[green_light::test]
async fn a_test_returns_another(session: Session) -> DbResult {
    session.ping().await
}

type ConnectionResult<T> = Result<T, sea_orm::DbErr>;

#[fixture]
async fn connected(session: &Session, out: Yield<bool>) -> ConnectionResult<()> {
    session.ping().await?;
    out.give(true).await;
    Ok(())
}

#[green_light::test]
async fn a_fixture_with_teardown_returns_an_alias(connected: bool) -> ConnectionResult<()> {
    assert!(connected);
    Ok(())
}
