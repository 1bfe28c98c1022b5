//! `ntest::timeout`, which runs the whole test on another thread.

use green_light::prelude::*;

#[fixture]
fn number() -> u32 {
    7
}

#[green_light::test]
#[ntest::timeout(60_000)]
async fn below(session: Session, number: u32) {
    session.ping().await.unwrap();
    assert_eq!(number, 7);
}

#[green_light::test]
#[ntest::timeout(60_000)]
fn below_a_sync_test(session: Session) -> Result<(), sea_orm::DbErr> {
    green_light::wait(session.ping())
}
