//! What holds for all transfers. The closures of proptest are synchronous, and wait for the database.

use accounts::{Refused, balance, open, transfer, transfers};
use green_light::{prelude::*, wait};
use proptest::{collection::vec, prelude::*};
use sqlx::SqlitePool;

const OWNERS: [&str; 3] = ["ann", "bob", "cat"];

#[fixture(overrides = green_light::fixtures::schema)]
fn schema() -> Schema {
    Schema::sqlx(sqlx::migrate!())
}

/// A hundred cents for each owner.
#[fixture]
async fn bank(sqlite_pool: SqlitePool) -> Result<SqlitePool, Refused> {
    for owner in OWNERS {
        open(&sqlite_pool, owner, 100).await?;
    }
    Ok(sqlite_pool)
}

async fn balances(bank: &SqlitePool) -> Result<Vec<i64>, Refused> {
    let mut found = Vec::new();
    for owner in OWNERS {
        found.push(balance(bank, owner).await?);
    }
    Ok(found)
}

#[green_light::test]
fn no_money_is_made_or_lost(bank: SqlitePool, transaction: &Transaction) {
    let config = ProptestConfig {
        cases: 64,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let moves = vec((0..OWNERS.len(), 0..OWNERS.len(), -10_i64..150), 0..12);
    proptest!(config, |(moves in moves)| {
        // Each case begins with the same rows.
        let before = wait(transaction.savepoint()).unwrap();
        let mut expected = vec![100; OWNERS.len()];
        let mut count = 0;
        for (payer, payee, cents) in moves {
            let moved = wait(transfer(&bank, OWNERS[payer], OWNERS[payee], cents));
            let is_allowed = cents > 0 && expected[payer] >= cents;
            prop_assert_eq!(moved.is_ok(), is_allowed);
            if is_allowed {
                expected[payer] -= cents;
                expected[payee] += cents;
                count += 1;
            }
            prop_assert_eq!(&wait(balances(&bank)).unwrap(), &expected);
        }
        prop_assert_eq!(wait(transfers(&bank)).unwrap(), count);
        wait(before.rollback()).unwrap();
    });
}
