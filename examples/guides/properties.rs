//! Properties: proptest's closures are synchronous, and wait for the database.

// guide: proptest
use green_light::{prelude::*, wait};
use proptest::prelude::*;
use sea_orm::{ConnectionTrait, DatabaseConnection, DbErr, Statement};

/// Your application.
async fn greet(db: &DatabaseConnection, name: &str) -> Result<String, DbErr> {
    let backend = db.get_database_backend();
    let insert = "INSERT INTO guest (name) VALUES (?)";
    db.execute_raw(Statement::from_sql_and_values(
        backend,
        insert,
        [name.into()],
    ))
    .await?;
    let select = Statement::from_string(backend, "SELECT name FROM guest");
    let row = db.query_one_raw(select).await?;
    let row = row.ok_or_else(|| DbErr::RecordNotFound(name.to_owned()))?;
    Ok(format!("hello {}", row.try_get::<String>("", "name")?))
}

#[green_light::test]
fn every_guest_is_greeted_by_name(session: Session, transaction: &Transaction) {
    let config = ProptestConfig {
        cases: 64,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    proptest!(config, |(name in "[a-z']{1,20}")| {
        // Each case begins with the same rows.
        let before = wait(transaction.savepoint()).unwrap();
        let greeting = wait(greet(&session, &name)).unwrap();
        prop_assert_eq!(greeting, format!("hello {name}"));
        wait(before.rollback()).unwrap();
    });
}
// guide: end
