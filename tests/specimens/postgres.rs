//! What only a server says: PostgreSQL, started from the installed programs.

use green_light::prelude::*;
use sea_orm::{ConnectionTrait, DbErr, TransactionTrait};

#[fixture(overrides = green_light::fixtures::backend, scope = "process")]
fn backend() -> Backend {
    Backend::Postgres
}

#[green_light::test]
async fn a_statement_before_has_failed(session: Session) -> Result<(), DbErr> {
    let transaction = session.begin().await?;
    assert!(
        transaction
            .execute_unprepared("SELECT 1 / 0")
            .await
            .is_err()
    );
    transaction.execute_unprepared("SELECT 1").await.map(drop)
}
