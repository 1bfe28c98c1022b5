//! The tests as they were: a database for each test, into which all migrations run. `after.rs` has the same ones.

use accounts::{Refused, balance, open, transfer, transfers};
use sqlx::SqlitePool;

#[sqlx::test(fixtures("../fixtures/two_accounts.sql"))]
async fn money_moves(pool: SqlitePool) -> Result<(), Refused> {
    transfer(&pool, "ann", "bob", 400).await?;
    assert_eq!(balance(&pool, "ann").await?, 600);
    assert_eq!(balance(&pool, "bob").await?, 650);
    assert_eq!(transfers(&pool).await?, 1);
    Ok(())
}

#[sqlx::test(fixtures("../fixtures/two_accounts.sql"))]
async fn nobody_pays_more_than_he_has(pool: SqlitePool) -> Result<(), Refused> {
    let refused = transfer(&pool, "bob", "ann", 251).await.unwrap_err();
    assert!(matches!(refused, Refused::TooLittle), "{refused}");
    assert_eq!(balance(&pool, "ann").await?, 1000);
    Ok(())
}

#[sqlx::test(fixtures("../fixtures/two_accounts.sql"))]
async fn money_to_nobody_stays(pool: SqlitePool) -> Result<(), Refused> {
    let refused = transfer(&pool, "ann", "cat", 1).await.unwrap_err();
    assert!(matches!(refused, Refused::NoAccount(_)), "{refused}");
    assert_eq!(balance(&pool, "ann").await?, 1000);
    assert_eq!(transfers(&pool).await?, 0);
    Ok(())
}

#[sqlx::test]
async fn an_owner_has_one_account(pool: SqlitePool) -> Result<(), Refused> {
    open(&pool, "ann", 5).await?;
    open(&pool, "ann", 7).await.unwrap_err();
    assert_eq!(balance(&pool, "ann").await?, 5);
    Ok(())
}
