//! Transactions of the code under test behave as in production, inside the one around the test.

use bookshop::entity::{customer, prelude::Customer};
use green_light::prelude::*;
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ConnectionTrait, DbErr, EntityTrait, PaginatorTrait,
    TransactionError, TransactionTrait,
};

async fn add(db: &impl ConnectionTrait, name: &str) -> Result<customer::Model, DbErr> {
    let email = Set(format!("{name}@example.org"));
    customer::ActiveModel {
        email,
        name: Set(name.to_owned()),
        ..Default::default()
    }
    .insert(db)
    .await
}

async fn names(db: &impl ConnectionTrait) -> Vec<String> {
    let mut names: Vec<String> = Customer::find()
        .all(db)
        .await
        .unwrap()
        .into_iter()
        .map(|customer| customer.name)
        .collect();
    names.sort_unstable();
    names
}

#[green_light::test]
async fn a_commit_keeps_what_was_written(session: Session) -> Result<(), DbErr> {
    let txn = session.begin().await?;
    add(&txn, "ann").await?;
    txn.commit().await?;
    assert_eq!(names(&session).await, ["ann"]);
    Ok(())
}

#[green_light::test]
async fn a_rollback_undoes_what_was_written(session: Session) -> Result<(), DbErr> {
    add(&session, "ann").await?;
    let txn = session.begin().await?;
    add(&txn, "bob").await?;
    assert_eq!(names(&txn).await, ["ann", "bob"]);
    txn.rollback().await?;
    assert_eq!(names(&session).await, ["ann"]);
    Ok(())
}

#[green_light::test]
async fn a_dropped_transaction_is_rolled_back(session: Session) -> Result<(), DbErr> {
    let txn = session.begin().await?;
    add(&txn, "ann").await?;
    drop(txn);
    assert!(names(&session).await.is_empty());
    Ok(())
}

#[green_light::test]
async fn a_nested_rollback_leaves_the_outer_part(session: Session) -> Result<(), DbErr> {
    let outer = session.begin().await?;
    add(&outer, "ann").await?;
    let inner = outer.begin().await?;
    add(&inner, "bob").await?;
    inner.rollback().await?;
    let inner = outer.begin().await?;
    add(&inner, "cid").await?;
    inner.commit().await?;
    outer.commit().await?;
    assert_eq!(names(&session).await, ["ann", "cid"]);
    Ok(())
}

#[green_light::test]
async fn an_outer_rollback_undoes_what_was_committed_inside(session: Session) -> Result<(), DbErr> {
    let outer = session.begin().await?;
    let inner = outer.begin().await?;
    add(&inner, "ann").await?;
    inner.commit().await?;
    outer.rollback().await?;
    assert_eq!(Customer::find().count(&session).await?, 0);
    Ok(())
}

#[green_light::test]
async fn a_closure_that_ends_well_is_committed(session: Session) -> Result<(), DbErr> {
    let ann = session
        .connection()
        .transaction::<_, _, DbErr>(|txn| Box::pin(async move { add(txn, "ann").await }))
        .await
        .unwrap();
    assert_eq!(ann.name, "ann");
    assert_eq!(names(&session).await, ["ann"]);
    Ok(())
}

#[green_light::test]
async fn a_closure_that_fails_is_rolled_back(session: Session) {
    let result = session
        .connection()
        .transaction::<_, (), DbErr>(|txn| {
            Box::pin(async move {
                add(txn, "ann").await?;
                txn.transaction::<_, (), DbErr>(|txn| {
                    Box::pin(async move { add(txn, "bob").await.map(drop) })
                })
                .await
                .unwrap();
                Err(DbErr::Custom("on purpose".into()))
            })
        })
        .await;
    assert!(
        matches!(result, Err(TransactionError::Transaction(DbErr::Custom(_)))),
        "{result:?}"
    );
    assert!(names(&session).await.is_empty());
}

#[green_light::test]
async fn a_conflict_inside_a_transaction_can_be_survived(session: Session) -> Result<(), DbErr> {
    let txn = session.begin().await?;
    add(&txn, "ann").await?;
    let attempt = txn.begin().await?;
    add(&attempt, "ann").await.unwrap_err();
    attempt.rollback().await?;
    add(&txn, "bob").await?;
    txn.commit().await?;
    assert_eq!(names(&session).await, ["ann", "bob"]);
    Ok(())
}
