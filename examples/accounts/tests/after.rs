//! The tests of `before.rs` on green-light: migrations and accounts are made once, and each test has a transaction.

use accounts::{Refused, balance, open, transfer, transfers};
use green_light::prelude::*;
use sqlx::SqlitePool;

#[fixture(overrides = green_light::fixtures::schema)]
fn schema() -> Schema {
    Schema::sqlx(sqlx::migrate!())
}

sql_fixtures! { two_accounts = "../fixtures/two_accounts.sql" }

#[green_light::test(uses(two_accounts))]
async fn money_moves(#[from(sqlite_pool)] pool: SqlitePool) -> Result<(), Refused> {
    transfer(&pool, "ann", "bob", 400).await?;
    assert_eq!(balance(&pool, "ann").await?, 600);
    assert_eq!(balance(&pool, "bob").await?, 650);
    assert_eq!(transfers(&pool).await?, 1);
    Ok(())
}

#[green_light::test(uses(two_accounts))]
async fn nobody_pays_more_than_he_has(
    #[from(sqlite_pool)] pool: SqlitePool,
) -> Result<(), Refused> {
    let refused = transfer(&pool, "bob", "ann", 251).await.unwrap_err();
    assert!(matches!(refused, Refused::TooLittle), "{refused}");
    assert_eq!(balance(&pool, "ann").await?, 1000);
    Ok(())
}

#[green_light::test(uses(two_accounts))]
async fn money_to_nobody_stays(#[from(sqlite_pool)] pool: SqlitePool) -> Result<(), Refused> {
    let refused = transfer(&pool, "ann", "cat", 1).await.unwrap_err();
    assert!(matches!(refused, Refused::NoAccount(_)), "{refused}");
    assert_eq!(balance(&pool, "ann").await?, 1000);
    assert_eq!(transfers(&pool).await?, 0);
    Ok(())
}

#[green_light::test]
async fn an_owner_has_one_account(sqlite_pool: SqlitePool) -> Result<(), Refused> {
    open(&sqlite_pool, "ann", 5).await?;
    open(&sqlite_pool, "ann", 7).await.unwrap_err();
    assert_eq!(balance(&sqlite_pool, "ann").await?, 5);
    Ok(())
}
